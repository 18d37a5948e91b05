"""A folder that files of facts are put into: each is imported once it has stopped growing, and put away.

A file that was imported goes to `done/`, with its rejects beside it; one that cannot be read at all goes
to `failed/`, with the reason beside it. Until then it stays where it is, so that what was broken off is
done again. Several may watch one folder: a file is locked by the one who imports it, and is not the others'.

Whoever writes it may hold it open meanwhile and go on. So what the file was like when it was read is noted
beside it in `done/`; for a day one that is not so any more is imported again, as a whole, where it lies.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from engine.app.folders import folder_of
from engine.app.importing import import_into
from engine.app.project import Project
from engine.errors import ImportFailed, Problems, UsageError
from engine.facts.importing import ImportSummary
from engine.facts.locks import locked, stands
from engine.store.ids import IdFactory

DONE, FAILED = "done", "failed"
NOTE = ".taken"  # what a file in `done/` was like, in a hidden file beside it
NOTED = timedelta(days=1)  # for so long
SETTLE = timedelta(seconds=2)  # between two looks at a file, in a pass by itself
GROWING = (
    ".tmp",
    ".part",
    ".filepart",
    ".crdownload",
)  # written under these names, and then renamed
State = tuple[int, int]  # size, and when it was last written
Seen = Mapping[str, State]
Wait = Callable[[float], None]


@dataclass(frozen=True)
class Taken:
    """A file that was taken from the folder: what became of it, or why it cannot be read.

    `again` where it had changed since an earlier look had taken it.
    """

    file: str
    now_at: Path
    summary: ImportSummary | None = None
    error: str = ""
    again: bool = False


def watched(project: Project, folder: Path | None) -> Path:
    """The folder that is named, or else that of the settings. Raises UsageError or SettingsError."""
    return folder_of(project, folder, "watch.folder", project.settings.watch.folder, "to watch")


def files_in(folder: Path) -> Seen:
    """The files that may be taken, by name, as they are now: new ones, and those that went on in `done/`."""
    return {**dict(_new(folder)), **dict(changed_since(folder))}


def _new(folder: Path) -> Iterator[tuple[str, State]]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix in GROWING:
            continue
        with suppress(FileNotFoundError):  # another took it meanwhile
            if path.is_file():
                yield path.name, _state(path)


def changed_since(folder: Path) -> Iterator[tuple[str, State]]:
    """The files in `done/` that are not any more as they were when they were read."""
    for note in sorted((folder / DONE).glob(f".*{NOTE}")):
        path = _noted(note)
        with suppress(OSError):  # it is gone
            state = _state(path)
            if note.read_text(encoding="utf-8") != _told(state):
                yield f"{DONE}/{path.name}", state


def _state(path: Path) -> State:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _told(state: State) -> str:
    return " ".join(map(str, state))


def _noted(note: Path) -> Path:
    """The file that a note is about."""
    return note.with_name(note.name[1 : -len(NOTE)])


def _note(path: Path, state: State) -> None:
    """Where that cannot be written, the file is imported all the same."""
    with suppress(OSError):
        path.with_name(f".{path.name}{NOTE}").write_text(_told(state), encoding="utf-8")


def _forget_notes(folder: Path, before: datetime) -> None:
    for note in (folder / DONE).glob(f".*{NOTE}"):
        with suppress(OSError):
            if note.stat().st_mtime < before.timestamp() or not _noted(note).exists():
                note.unlink()


def take(
    project: Project, folder: Path, before: Seen, *, mapping: Path | None = None, ids: IdFactory | None = None
) -> list[Taken]:
    """Import every file that is as it was at an earlier look, in order of their names."""
    now = files_in(folder)
    taken = []
    for name in (name for name, state in now.items() if before.get(name) == state):
        with _claimed(folder / name) as ours:
            if ours:
                taken.append(_take(project, folder, folder / name, mapping, ids))
                if not taken[-1].error:
                    _note(taken[-1].now_at, now[name])
    _forget_notes(folder, project.clock.now() - NOTED)
    return taken


def take_once(
    project: Project, folder: Path, *, wait: Wait, mapping: Path | None = None, ids: IdFactory | None = None
) -> list[Taken]:
    """One pass: look, wait a moment, and import what has not changed."""
    before = files_in(folder)
    wait(SETTLE.total_seconds())
    return take(project, folder, before, mapping=mapping, ids=ids)


def keep_taking(
    project: Project, folder: Path, *, wait: Wait, mapping: Path | None = None, ids: IdFactory | None = None
) -> Iterator[list[Taken]]:
    """Pass after pass, for ever; a file is taken when two passes found it the same."""
    before: Seen = {}
    while True:
        yield take(project, folder, before, mapping=mapping, ids=ids)
        before = files_in(folder)
        wait(project.settings.watch.every.total_seconds())


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether no other watcher has the file, or has put it away; it is ours until the end."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield False
        return
    except OSError:  # the import will say why it cannot be read
        yield True
        return
    with file:
        yield locked(file.fileno()) and stands(file.fileno(), path)


def _take(project: Project, folder: Path, path: Path, mapping: Path | None, ids: IdFactory | None) -> Taken:
    chosen, again = mapping or _map_of(project), path.parent != folder
    rejects = folder / f".rejects-{path.name}"
    try:
        [summary] = import_into(
            project, [path], now=project.clock.now(), mapping=chosen, ids=ids, rejects_folder=rejects
        )
    except (ImportFailed, Problems, UsageError) as error:
        away = put_away(path, folder / FAILED)
        beside(away, ".reason.txt").write_text(f"{error}\n", encoding="utf-8")
        return Taken(path.name, away, error=str(error), again=again)
    away = path if again else put_away(path, folder / DONE)
    beside(away, ".rejects.csv").unlink(missing_ok=True)  # of an earlier look at the same file
    if summary.rejects_file is not None:
        moved = summary.rejects_file.rename(beside(away, ".rejects.csv"))
        summary = replace(summary, rejects_file=moved)
    with suppress(OSError):  # another file's rejects may be on their way
        rejects.rmdir()
    return Taken(path.name, away, summary, again=again)


def _map_of(project: Project) -> Path | None:
    named = project.settings.watch.map
    return project.folder / named if named else None


def put_away(path: Path, folder: Path) -> Path:
    """Move the file into the folder, under a name that is still free there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    with suppress(FileNotFoundError):  # another watcher imported it too, which changed nothing
        path.rename(target)
    return target


def beside(away: Path, suffix: str) -> Path:
    """A file about that one, under its name and more."""
    return away.with_name(away.name + suffix)
