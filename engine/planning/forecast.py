"""The next days, as they would go if nobody bought, used or changed anything.

The plan of now is merged into imagined tables, then the clock moves on: every hour in which a step
falls due or a window opens, and once a day the audiences are judged anew. A held mail is looked at again
at each of these.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, func, literal, select, update

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.merge import merge
from engine.planning.occasions import next_occasion
from engine.planning.plan import make_plan
from engine.planning.state import State
from engine.planning.timing import place_of
from engine.planning.windows import opening
from engine.store.ids import mark
from engine.store.tables import customers
from engine.zones import MINUTE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def forecast(
    connection: Connection, book: Book, state: State, now: datetime, days: int, only: int | None = None
) -> Iterator[tuple[datetime, Desk]]:
    """Each later instant with its plan. The plan of `now` must be in `state` already, its mails sent."""
    at, look, end = now, now + DAY, now + days * DAY
    while True:
        due, begins = (
            _next_due(connection, book, state, now, at),
            _next_occasion(connection, book, state, now, at, only),
        )
        at = min(look, due, begins)
        if at > end:
            return
        looks = at in (look, begins)
        desk = make_plan(connection, book, state, at, only=only, look_for_entries=looks)
        yield at, desk
        merge(connection, book, desk, state, at, looked=looks)
        assume_sent(connection, state)
        look += DAY if at == look else timedelta(0)


def assume_sent(connection: Connection, state: State) -> None:
    """In the imagined tables every mail leaves as soon as it is planned."""
    mail, leaving = state.messages, state.messages.c.status == "scheduled"
    who = select(mail.c.customer_id, literal(mark(), BigInteger)).where(leaving).distinct()
    connection.execute(state.changes.insert().from_select(["customer_id", "change_id"], who))
    decided = func.coalesce(mail.c.slot_at, mail.c.planned_at, type_=mail.c.settled_at.type)
    sent = {"status": "accepted", "settled_at": decided}
    connection.execute(update(mail).where(leaving).values(sent))


def _next_due(connection: Connection, book: Book, state: State, start: datetime, after: datetime) -> datetime:
    """The first whole hour from the start, later than `after`, by which a step has fallen due.

    Earlier where by then the window of one would have closed again: just before it does.
    """
    run = state.enrollments
    due = select(func.min(run.c.wake_at, type_=run.c.wake_at.type))
    first: datetime | None = connection.scalar(due.where(run.c.status == "active", run.c.wake_at > after))
    if first is None:
        return datetime.max.replace(tzinfo=start.tzinfo)
    hours = -((start - first) // HOUR)
    at = max(start + hours * HOUR, after + HOUR)
    return max(
        first, min([at, *(closes - MINUTE for closes in _closings(connection, book, state, first, at))])
    )


def _next_occasion(
    connection: Connection, book: Book, state: State, start: datetime, after: datetime, only: int | None
) -> datetime:
    """The first whole hour from the start, later than `after`, by which a trigger has been pulled."""
    first = next_occasion(connection, book, state, book.scope(after, connection.dialect.name), only)
    if first is None:
        return datetime.max.replace(tzinfo=start.tzinfo)
    return start - (start - first) // HOUR * HOUR


def _closings(
    connection: Connection, book: Book, state: State, first: datetime, last: datetime
) -> Iterator[datetime]:
    """When the windows close of those who are asked in that time."""
    if not book.schedules:
        return
    run = state.enrollments
    asked = select(run.c.campaign_id, run.c.step_id, customers.c.timezone, customers.c.country).distinct()
    asked = asked.where(run.c.customer_id == customers.c.customer_id, run.c.status == "active")
    for campaign, step, zone, country in connection.execute(asked.where(run.c.wake_at.between(first, last))):
        schedule = book.schedules.get((campaign, step))
        found = opening(schedule, place_of(book, zone, country), first) if schedule else None
        if found is not None and found.closes <= last:
            yield found.closes
