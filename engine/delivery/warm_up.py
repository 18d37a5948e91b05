"""A new sender begins with few mails a day, and more every day: one row for each day, for all processes.

Mailbox providers distrust an address that sends thousands from one day to the next.
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, update

from engine.settings.delivery import WarmUp
from engine.store.connect import Store
from engine.store.dialect import insert_ignoring
from engine.store.tables import quotas

NAME = "warm-up"


def limit(ramp: WarmUp, day: date) -> int | None:
    """So many mails may leave on that day; None where there is no limit any more."""
    if ramp.since is None:
        return None
    allowed = ramp.first_day * (1 + ramp.daily_growth) ** max((day - ramp.since).days, 0)
    return None if allowed >= ramp.until else int(allowed)


@dataclass(frozen=True)
class Ramp:
    """Gives permission for the mails of a day; its days are those of the shop."""

    store: Store
    settings: WarmUp
    zone: ZoneInfo

    def take(self, wanted: int, now: datetime) -> int:
        """Permission for so many, or for as many as are left of the day."""
        day = self._day(now)
        allowed = limit(self.settings, day)
        if allowed is None:
            return wanted
        with self.store.writing() as connection:
            given = min(wanted, max(allowed - _used(connection, day, locked=True), 0))
            _add(connection, day, given)
        return given

    def give_back(self, number: int, now: datetime) -> None:
        """Permission that was not needed after all."""
        day = self._day(now)
        if number and limit(self.settings, day) is not None:
            with self.store.writing() as connection:
                _add(connection, day, -number)

    def today(self, now: datetime) -> tuple[int, int] | None:
        """How many of today's mails are used up, and of how many; None where there is no limit."""
        day = self._day(now)
        allowed = limit(self.settings, day)
        if allowed is None:
            return None
        with self.store.reading() as connection:
            return _used(connection, day), allowed

    def _day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


def _used(connection: Connection, day: date, *, locked: bool = False) -> int:
    """Where `locked`, nobody else takes any until this transaction ends."""
    mine = (quotas.c.name == NAME, quotas.c.day == day.isoformat())
    if not locked:
        return connection.scalar(select(func.coalesce(func.max(quotas.c.used), 0)).where(*mine)) or 0
    insert_ignoring(connection, quotas, [{"name": NAME, "day": day.isoformat(), "used": 0}])
    used: int = connection.scalars(select(quotas.c.used).where(*mine).with_for_update()).one()
    return used


def _add(connection: Connection, day: date, number: int) -> None:
    mine = (quotas.c.name == NAME, quotas.c.day == day.isoformat())
    connection.execute(update(quotas).where(*mine).values(used=quotas.c.used + number))
