"""A crontab's line, and the instants that it names by the clock on a wall."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from engine.clock import MICROSECOND
from engine.zones import DAY, stretches

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SILENCE = 9 * 366 * DAY  # no line rests for longer: from 29 February 2096 to that of 2104


@dataclass(frozen=True)
class Crontab:
    """One line: minute, hour, day of the month, month, day of the week. Raises ValueError.

    A time that the clocks leave out is taken as if they had not been changed; of a time that they show
    twice, the first is meant.
    """

    line: str

    def __post_init__(self) -> None:
        if _trigger(self.line).get_next_fire_time(None, datetime(2000, 1, 1, tzinfo=UTC)) is None:
            msg = "no month has such a day"
            raise ValueError(msg)

    def moments(self, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """All after one instant and not after another, in their order."""
        ahead = None
        for stretch in stretches(zone.key, after - DAY, until + DAY):
            before, ahead = stretch.offset if ahead is None else ahead, stretch.offset
            was, becomes = stretch.opens + before, stretch.opens + ahead  # what the clocks show then
            left_out = self._shown(max(was, after + before), becomes, before)
            shown = self._shown(max(was, becomes, after + ahead), stretch.closes + ahead, ahead)
            for moment, _ in groupby(merge(left_out, shown)):
                if moment > until:
                    return
                if moment > after:
                    yield moment

    def next_moment(self, after: datetime, zone: ZoneInfo) -> datetime:
        """The first after an instant."""
        return next(self.moments(after, after + _SILENCE, zone))

    def _shown(self, first: datetime, end: datetime, ahead: timedelta) -> Iterator[datetime]:
        """When clocks so far ahead show the times of the line, from one reading of theirs up to another.

        To the library a reading is an instant of UTC, where no clock is ever changed.
        """
        trigger, reading = _trigger(self.line), first
        while reading < end and (found := trigger.get_next_fire_time(None, reading)) < end:
            yield found - ahead
            reading = found + MICROSECOND


@lru_cache(maxsize=1_000)
def _trigger(line: str) -> "CronTrigger":
    """As the library has it. Its days of the week count from Monday, those of a crontab from Sunday."""
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - slow to load, and seldom asked for

    fields = line.split()
    if len(fields) != 5:
        msg = "write five fields"
        raise ValueError(msg)
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        msg = "write a day of the month or a day of the week, not both"
        raise ValueError(msg)
    days = weekday if weekday == "*" else ",".join(_weekdays(weekday))
    return CronTrigger(minute=minute, hour=hour, day=day, month=month.lower(), day_of_week=days, timezone=UTC)


def _weekdays(field: str) -> Iterator[str]:
    for part in field.lower().split(","):
        first, dash, last = part.partition("-")
        start, end = _weekday(first), _weekday(last or first)
        if dash and end < start:
            msg = f"{part!r} ends before it begins"
            raise ValueError(msg)
        yield from (_WEEKDAYS[number] for number in range(start, end + 1))


def _weekday(name: str) -> int:
    if name in _WEEKDAYS:
        return _WEEKDAYS.index(name)
    if not re.fullmatch("[0-7]", name):
        msg = f"{name!r} is not a day of the week"
        raise ValueError(msg)
    return int(name)
