"""Leases of mails on their way: those that ran out, and those that others still hold.

A lease is compared with the time of the database, never with that of the plan or of this machine.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, select, update

from engine.delivery.rows import stands
from engine.delivery.states import Status, move
from engine.store.connect import Store
from engine.store.dialect import database_now
from engine.store.tables import messages

LOOK_AGAIN = timedelta(seconds=1)
_LAST = func.max(messages.c.lease_until, type_=messages.c.lease_until.type)


def expire(store: Store) -> int:
    """What is still on its way when its lease has run out becomes unknown. Returns how many."""
    _, unknown = move(Status.SENDING, Status.UNKNOWN)
    why = "the lease of " + messages.c.owner + " ran out"
    with store.writing() as connection:
        over = and_(stands(Status.SENDING), messages.c.lease_until <= database_now(connection))
        change = update(messages).where(over).values(status=unknown, lease_until=None, error=why)
        return connection.execute(change).rowcount


def wait_for_others(store: Store, wait: Callable[[float], None], progress: Callable[[str], None]) -> bool:
    """Wait until every lease that runs now has ended, was renewed or given back.

    A renewed lease belongs to somebody alive, who sees to it. Returns whether there was one;
    `wait` sleeps for so many seconds.
    """
    with store.reading() as connection:
        until = connection.scalar(select(_LAST).where(stands(Status.SENDING)))
    if until is None:
        return False
    _say(store, until, progress)
    while left := _time_left(store, until):
        wait(min(left, LOOK_AGAIN).total_seconds())
    return True


def _say(store: Store, until: datetime, progress: Callable[[str], None]) -> None:
    if left := _time_left(store, until):
        seconds = int(left.total_seconds()) + 1
        progress(f"another run has mails on their way, or died with them: waiting up to {seconds} s to know")


def _time_left(store: Store, until: datetime) -> timedelta | None:
    with store.reading() as connection:
        return _running(connection, until)


def _running(connection: Connection, until: datetime) -> timedelta | None:
    """How long the last lease runs that ends by `until`; None where none runs."""
    now = database_now(connection)
    rows = and_(stands(Status.SENDING), messages.c.lease_until > now, messages.c.lease_until <= until)
    last: datetime | None = connection.scalar(select(_LAST).where(rows))
    return None if last is None else last - now
