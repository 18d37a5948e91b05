"""adopt: take over a database that was copied, restored or moved."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from engine.app.project import Project
from engine.app.running import own_name
from engine.delivery.generation import begin, take_over
from engine.delivery.rows import stands
from engine.delivery.states import Status, move
from engine.errors import NotAdopted
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.state import be_the_planner, kept
from engine.planning.versions import record_versions
from engine.store.tables import generation, messages

OPEN = (Status.SCHEDULED, Status.SENDING, Status.UNKNOWN)
WHY = "held: due before the database was adopted; was "


@dataclass(frozen=True)
class Stands:
    """What there is to adopt: why the database does not mail, and when it last did."""

    trouble: NotAdopted | None
    last_sent_at: datetime | None


def stands_adopted(project: Project) -> Stands:
    """Whether the database is the one that mails from here."""
    with project.store.reading() as connection:
        at = connection.scalar(select(generation.c.at).where(generation.c.number > 0))
    return Stands(project.guard.trouble(), at)


def adopt(project: Project, now: datetime, *, hold: bool) -> int:
    """From now on this database mails from here. Returns how many mails are held for a person to look at.

    With `hold` everything that was due until now is decided, and held: it may have left already, from
    the database that this one was copied from. Without it that one must have stopped for good, or be
    this very database, which is to mail from here as well.
    """
    with project.store.writing() as connection:
        begin(connection)
        if hold:
            _hold_what_was_due(connection, project, now)
        held = connection.scalar(select(func.count()).where(stands(Status.HELD))) or 0
    project.guard.renew()
    return held


def _hold_what_was_due(connection: Connection, project: Project, now: datetime) -> None:
    be_the_planner(connection, own_name())
    for origin in OPEN:
        _, held = move(origin, Status.HELD)
        change = update(messages).where(stands(origin))
        connection.execute(change.values(status=held, lease_until=None, error=WHY + origin))
    take_over(connection, review_until=now)
    state = kept()
    desk = make_plan(connection, project.book, state, now)
    record_versions(connection, project.book, now)
    merge(connection, project.book, desk, state, now)
