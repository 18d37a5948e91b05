"""Days as they pass in a time zone: when its clocks are changed, and when they show a span of the day.

A clock on the wall may show an hour twice (a fold), leave one out (a gap), or a whole day (Apia, 30
December 2011). Here a span of the day is every instant at which the clock shows a time within it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOURS_PATTERN = r"^\d{1,2}:\d{2} ?- ?\d{1,2}:\d{2}$"
_HOURS = re.compile(r"(\d{1,2}):(\d{2}) ?- ?(\d{1,2}):(\d{2})")
STRIDE = timedelta(days=3)  # nowhere since 1970 were the clocks changed twice within a week
_WIDEST = timedelta(hours=26)  # no clock on the wall is further from UTC
_FULL = 24 * 60


class Hours(NamedTuple):
    """A span of the day in minutes from its midnight; one that goes over night ends on the next day."""

    start: int
    end: int

    @property
    def whole_day(self) -> bool:
        return self == WHOLE_DAY

    def __str__(self) -> str:
        end = self.end if self.end <= _FULL else self.end - _FULL
        return f"{self.start // 60:02}:{self.start % 60:02}-{end // 60:02}:{end % 60:02}"


WHOLE_DAY = Hours(0, _FULL)


class Span(NamedTuple):
    """From an instant, up to but without another one."""

    opens: datetime
    closes: datetime


class Stretch(NamedTuple):
    """A span of time in which a zone's clocks stay so far ahead of UTC."""

    opens: datetime
    closes: datetime
    offset: timedelta


def parse_hours(value: Any) -> Hours:
    """`09:00-11:00`, or over night `21:00-08:00`; the second time is no longer part of it."""
    if isinstance(value, Hours):
        return value
    match = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        msg = f"{value!r} is not a span of hours, such as 09:00-11:00"
        raise ValueError(msg)
    start, end = (_minutes(match[n], match[n + 1]) for n in (1, 3))
    if start in (end, _FULL):
        msg = f"{value!r} has no length; write the whole day as 00:00-24:00"
        raise ValueError(msg)
    return Hours(start, end if end > start else end + _FULL)


def _minutes(hours: str, minutes: str) -> int:
    found = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or found > _FULL:
        msg = f"{hours}:{minutes} is not a time of day"
        raise ValueError(msg)
    return found


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every time zone that there is. To find them takes a while."""
    return frozenset(available_timezones())


def known_zone(name: str, otherwise: str) -> str:
    """The zone of that name, where there is one."""
    return name if name in zone_names() else otherwise


def shown(zone: str, day: date, hours: Hours) -> list[Span]:
    """When the clock shows these hours of that day: one span, in a fold perhaps two, in a gap none."""
    midnight = datetime.combine(day, time())
    first, last = midnight + hours.start * MINUTE, midnight + hours.end * MINUTE
    spans: list[Span] = []
    for stretch in stretches(zone, _as_utc(first) - _WIDEST, _as_utc(last) + _WIDEST):
        opens = max(stretch.opens, _as_utc(first - stretch.offset))
        closes = min(stretch.closes, _as_utc(last - stretch.offset))
        if opens < closes and spans and spans[-1].closes == opens:
            spans[-1] = Span(spans[-1].opens, closes)
        elif opens < closes:
            spans.append(Span(opens, closes))
    return spans


def local_day(zone: str, at: datetime) -> date:
    """The date that the zone's calendars show."""
    return at.astimezone(ZoneInfo(zone)).date()


def stretches(zone: str, first: datetime, last: datetime) -> Iterator[Stretch]:
    """The stretches between two instants, in their order."""
    for year in range(first.year, last.year + 1):
        for stretch in _of_year(zone, year):
            if stretch.opens < last and stretch.closes > first:
                yield Stretch(max(stretch.opens, first), min(stretch.closes, last), stretch.offset)


@lru_cache(maxsize=4_000)
def _of_year(zone: str, year: int) -> tuple[Stretch, ...]:
    clock, end = ZoneInfo(zone), datetime(year + 1, 1, 1, tzinfo=UTC)
    found: list[Stretch] = []
    opens = at = datetime(year, 1, 1, tzinfo=UTC)
    ahead = _offset(clock, opens)
    while at < end:
        then = _offset(clock, at + STRIDE)
        if then != ahead:
            change = _change(clock, at)
            found.append(Stretch(opens, min(change, end), ahead))
            opens, ahead = change, then
        at += STRIDE
    return tuple(each for each in (*found, Stretch(opens, end, ahead)) if each.opens < each.closes)


def _change(clock: ZoneInfo, at: datetime) -> datetime:
    """The second, within a stride from then, at which the clocks are changed."""
    before, after = 0, STRIDE // timedelta(seconds=1)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(clock, at + timedelta(seconds=middle)) == _offset(clock, at):
            before = middle
        else:
            after = middle
    return at + timedelta(seconds=after)


def _offset(clock: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(clock).utcoffset() or timedelta(0)


def _as_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
