"""Files that hold what is known of people, and were kept as long as the settings say, are removed."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from engine.app.bouncing import PARKED
from engine.app.importing import REJECTS
from engine.app.project import Project
from engine.app.watching import DONE
from engine.clock import EPOCH
from engine.delivery.states import FINAL
from engine.facts.receiving.inbound import forget_words
from engine.store.tables import messages

PAGE = 500


@dataclass(frozen=True)
class Swept:
    """How many files went, and how many events lost their words."""

    rejects: int = 0
    mails: int = 0
    events: int = 0  # of which only the id is kept from then on


def sweep(project: Project, now: datetime) -> Swept:
    """Remove what is older than `retention` says."""
    keep = project.settings.retention
    rejects = mails = 0
    if keep.rejects is not None:
        old = (file for file in reject_files(project) if _written(file) < now - keep.rejects)
        rejects = sum(_removed(file) for file in old)
    if keep.mails is not None:
        mails = _sweep_mails(project, now - keep.mails)
    events = 0
    if keep.events is not None:
        with project.store.writing() as connection:
            events = forget_words(connection, now - keep.events)
    return Swept(rejects, mails, events)


def reject_files(project: Project) -> Iterator[Path]:
    yield from (project.folder / REJECTS).glob("*.csv")
    if project.settings.watch.folder:
        yield from (project.folder / project.settings.watch.folder / DONE).glob("*.rejects.csv")
    if project.settings.smtp.bounces_folder:
        bounces = project.folder / project.settings.smtp.bounces_folder
        yield from (file for name in (DONE, PARKED) for file in (bounces / name).glob("*"))


def _sweep_mails(project: Project, before: datetime) -> int:
    """The days that lie wholly before, but for mails whose fate is open: their file may have to tell it."""
    removed = 0
    for day in sorted((project.folder / project.settings.delivery.folder / "mails").glob("????-??-??")):
        if day.name < f"{before.astimezone(UTC):%Y-%m-%d}":
            files = sorted(day.glob("*.eml"))
            for start in range(0, len(files), PAGE):
                removed += _sweep_settled(project, files[start : start + PAGE])
            with suppress(OSError):  # something is left in it
                day.rmdir()
    return removed


def _sweep_settled(project: Project, files: list[Path]) -> int:
    ids = [file.stem for file in files]
    open_ones = messages.c.status.not_in([status.value for status in FINAL])
    asked = select(messages.c.message_id).where(messages.c.message_id.in_(ids), open_ones)
    with project.store.reading() as connection:
        kept = set(connection.scalars(asked))
    return sum(_removed(file) for file in files if file.stem not in kept)


def _written(file: Path) -> datetime:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return EPOCH  # gone, and so not removed either


def _removed(file: Path) -> bool:
    try:
        file.unlink()
    except OSError:
        return False
    return True
