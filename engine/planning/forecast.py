"""The next days, as they would go if nobody bought, used or changed anything.

The plan of now is merged into imagined tables, then the clock moves on: every hour in which a step
falls due, and once a day the audiences are judged anew. A held mail is looked at again at each of these.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, func, literal, select, update

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.state import State
from engine.store.ids import mark

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def forecast(
    connection: Connection, book: Book, state: State, now: datetime, days: int, only: int | None = None
) -> Iterator[tuple[datetime, Desk]]:
    """Each later instant with its plan. The plan of `now` must be in `state` already, its mails sent."""
    at, look, end = now, now + DAY, now + days * DAY
    while (at := min(look, _next_due(connection, state, now, at))) <= end:
        looks = at == look
        desk = make_plan(connection, book, state, at, only=only, look_for_entries=looks)
        yield at, desk
        merge(connection, book, desk, state, at, looked=looks)
        assume_sent(connection, state)
        look += DAY if looks else timedelta(0)


def assume_sent(connection: Connection, state: State) -> None:
    """In the imagined tables every mail leaves as soon as it is planned."""
    mail, leaving = state.messages, state.messages.c.status == "scheduled"
    who = select(mail.c.customer_id, literal(mark(), BigInteger)).where(leaving).distinct()
    connection.execute(state.changes.insert().from_select(["customer_id", "change_id"], who))
    decided = func.coalesce(mail.c.slot_at, mail.c.planned_at, type_=mail.c.settled_at.type)
    sent = {"status": "accepted", "settled_at": decided}
    connection.execute(update(mail).where(leaving).values(sent))


def _next_due(connection: Connection, state: State, start: datetime, after: datetime) -> datetime:
    """The first whole hour from the start, later than `after`, by which a step has fallen due."""
    run = state.enrollments
    due = select(func.min(run.c.due_at, type_=run.c.due_at.type))
    first: datetime | None = connection.scalar(due.where(run.c.status == "active", run.c.due_at > after))
    if first is None:
        return datetime.max.replace(tzinfo=start.tzinfo)
    hours = -((start - first) // HOUR)
    return max(start + hours * HOUR, after + HOUR)
