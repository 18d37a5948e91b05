"""How fast mails may leave: one row in the database for each rate, for all processes together.

A row holds the instant at which the next mail may leave. Whoever takes permission for some moves it
on by as many intervals, so mails are spread evenly. A second that was not used may be caught up with,
and no more: after hours of silence nothing leaves in a flood.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from engine.settings.delivery import Delivery
from engine.store.connect import Store
from engine.store.dialect import database_now, insert
from engine.store.tables import throttle

NAME = "delivery"
CATCH_UP = timedelta(seconds=1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def interval(settings: Delivery) -> timedelta | None:
    """From one mail to the next, by the slower of both rates; None where there is none."""
    rates = ((MINUTE, settings.per_minute), (HOUR, settings.per_hour))
    return max((span / mails for span, mails in rates if mails), default=None)


def permitted(free: datetime, now: datetime, step: timedelta, wanted: int) -> tuple[int, datetime]:
    """How many may leave at `now`, where the next one may from `free` on; and from when on another may."""
    if free > now + step:  # left over from a slower rate
        free = now
    if free > now:
        return 0, free
    free = max(free, now - CATCH_UP)
    number = min(wanted, (now - free) // step + 1)
    return number, free + number * step


@dataclass(frozen=True)
class Throttle:
    """Gives permission for mails, one in each interval."""

    store: Store
    interval: timedelta
    name: str = NAME

    def room(self, wanted: int) -> int:
        """How many might leave now; no permission for them is given yet."""
        with self.store.reading() as connection:
            now = database_now(connection)
            number, _ = permitted(self._free(connection) or now, now, self.interval, wanted)
        return number

    def take(self, wanted: int) -> int:
        """Permission for so many, or for fewer, or for none yet."""
        with self.store.writing() as connection:
            now = database_now(connection)
            number, free = permitted(self._locked(connection, now), now, self.interval, wanted)
            change = update(throttle).where(throttle.c.name == self.name)
            connection.execute(change.values(next_at=free))
        return number

    def pause(self) -> timedelta:
        """How long until there is permission for one more."""
        with self.store.reading() as connection:
            free = self._free(connection)
            left = free - database_now(connection) if free else timedelta(0)
        return max(min(left, self.interval), timedelta(0))

    def _free(self, connection: Connection) -> datetime | None:
        free: datetime | None = connection.scalar(
            select(throttle.c.next_at).where(throttle.c.name == self.name)
        )
        return free

    def _locked(self, connection: Connection, now: datetime) -> datetime:
        """When the next one may leave; nobody else gets permission until this transaction ends."""
        statement = insert(connection.dialect, throttle).values(name=self.name, next_at=now)
        unchanged = {"next_at": throttle.c.next_at}
        locked = statement.on_conflict_do_update(index_elements=["name"], set_=unchanged)
        free: datetime = connection.scalars(locked.returning(throttle.c.next_at)).one()
        return free
