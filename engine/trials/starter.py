"""A project to start from: the bundled campaigns, their templates, settings, and files to import."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from engine.errors import AlreadyThere, UsageError, relative
from engine.settings.load import CONFIG_FILE
from engine.trials.bundle import CONFIG_EXAMPLE, FOLDERS, bundled
from engine.trials.demo_shop import FILES, write_demo_shop

HERE = Path(__file__).parent
EXAMPLES = "examples"
EXAMPLE_CUSTOMERS = 60
EXAMPLE_SEED = 7
GITIGNORE = """\
# what Aftersale makes: the database, mails, previews, rejected rows
aftersale.db*
.aftersale/
outbox/
out/
preview/
rejects/
"""


def copy_starter(folder: Path, *, now: datetime) -> list[Path]:
    """Make a project in `folder`, which must be empty or not there yet. Returns the files made.

    The examples tell of customers whose last weeks lead up to `now`. Raises AlreadyThere where
    something is there, UsageError where nothing can be written.
    """
    try:
        _refuse_full(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _copy(bundled(), folder)
        shutil.copytree(HERE / EXAMPLES, folder / EXAMPLES)
        (folder / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
        write_demo_shop(folder / EXAMPLES, seed=EXAMPLE_SEED, customers=EXAMPLE_CUSTOMERS, now=now)
    except OSError as error:
        msg = f"{relative(folder)} cannot be written: {error.strerror}"
        raise UsageError(msg) from error
    return sorted(path for path in folder.rglob("*") if path.is_file())


def next_steps(folder: Path) -> str:
    """What to try in a new project, for a person to read."""
    here = folder.resolve() == Path.cwd()
    where = "here" if here else f"in {relative(folder)}"
    there = "" if here else f"    cd {relative(folder)}\n"
    return f"""\
A project to start from is {where}: a small bakery school with seven campaigns.

{there}    aftersale import {" ".join(f"{EXAMPLES}/{name}" for name in FILES)}
    aftersale check
    aftersale preview --days 14 --html out/
    aftersale explain ann@example.com flagship-after-guide
    aftersale run --once

Then make it yours: who is speaking in {CONFIG_FILE}, what you sell in campaigns/products.yaml, when to
write in campaigns/, and how it reads in templates/. Put your own files in the place of {EXAMPLES}/; a map
reads what your shop exports (--map, see {EXAMPLES}/mapping.yaml). To start again, delete
aftersale.db and .aftersale.
"""


def _refuse_full(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{relative(folder)} is not an empty folder"
        raise AlreadyThere(msg, hint="name a folder that does not exist yet")


def _copy(source: Path, folder: Path) -> None:
    for name in FOLDERS:
        for path in _files(source / name):
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.copyfile(source / CONFIG_EXAMPLE, folder / CONFIG_FILE)


def _files(folder: Path) -> Iterator[Path]:
    """All of them but hidden ones."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path
