"""events: what was told and could not be taken up, and taking events up anew."""

from collections.abc import Collection, Sequence
from datetime import datetime

from engine.app.hearing import Heard, take_up
from engine.app.project import Project
from engine.delivery.receivers import sendgrid, smtp
from engine.facts import wishes
from engine.facts.receiving import inbound
from engine.facts.receiving.looking_back import Kept, parked, take_up_anew
from engine.facts.receiving.sources import SOURCES
from engine.registry import Menu

EVERYBODY = Menu("source", dict.fromkeys((*SOURCES, sendgrid.SOURCE, smtp.SOURCE, wishes.SOURCE), ""))


def sources_of(name: str | None) -> Collection[str]:
    """The source of that name, or all of them. Raises UnknownName."""
    if name is None:
        return list(EVERYBODY)
    EVERYBODY.choose(name)
    return [name]


def list_parked(project: Project, source: str | None, most: int) -> tuple[Sequence[Kept], int]:
    """Parked events, the latest first, and how many there are."""
    with project.store.reading() as connection:
        return parked(connection, sources_of(source), most)


def count_put_aside(project: Project, source: str | None) -> dict[str, int]:
    """How many events told of somebody without a name, such as who paid cash at a till, or were tests."""
    with project.store.reading() as connection:
        return inbound.put_aside(connection, sources_of(source))


def replay(project: Project, source: str | None, now: datetime, *, whole: bool) -> tuple[int, Heard]:
    """Take up parked events once more, or all that are still kept; how many, and what came of it."""
    with project.store.writing() as connection:
        count = take_up_anew(connection, sources_of(source), whole=whole)
        wishes.carry_out_waiting(connection, now)
    return count, take_up(project, now)
