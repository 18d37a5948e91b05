"""Time: the only place that asks what time it is, and the words for spans of it.

Instants are aware datetimes in Python and UTC microseconds since 1970 in the database.
Durations (`90m 12h 30d 2w`) are elapsed time: a day is 24 hours.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=36_525)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,9})([smhdw])")
DURATION_PATTERN = r"^(0|\d{1,9}[smhdw])$"


class Clock(Protocol):
    """Tells the time; a virtual one takes its place in previews, trials and tests."""

    def now(self) -> datetime: ...


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class DatabaseClock:
    """The time of the database, so that several machines agree."""

    def __init__(self, read: Callable[[], datetime]) -> None:
        self._read = read

    def now(self) -> datetime:
        return self._read()


class VirtualClock:
    """A clock that moves when told to."""

    def __init__(self, start: datetime) -> None:
        self._now = aware(start)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        self._now += by
        return self._now


def aware(instant: datetime) -> datetime:
    """The instant in UTC; a naive one is refused."""
    if instant.tzinfo is None:
        msg = f"{instant} has no time zone"
        raise ValueError(msg)
    return instant.astimezone(UTC)


def to_micros(instant: datetime) -> int:
    """UTC microseconds since 1970."""
    return (aware(instant) - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant that many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=micros)


def span(duration: timedelta) -> int:
    """A duration in microseconds."""
    return duration // MICROSECOND


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with its offset, such as `2026-12-24T09:00Z`."""
    try:
        instant = aware(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError) as error:
        msg = f"{text!r} is not an instant with a time zone, such as 2026-12-24T09:00Z"
        raise ValueError(msg) from error
    if not FIRST <= instant < LAST:
        msg = f"{text!r} is not an instant between the years {FIRST.year} and {LAST.year}"
        raise ValueError(msg)
    return instant


def parse_duration(value: Any) -> timedelta:
    """`90m 12h 30d 2w` as a timedelta; a bare 0 is allowed, any other bare number is not."""
    if isinstance(value, timedelta):
        return value
    if value in (0, "0") and not isinstance(value, bool):  # text, in the environment
        return timedelta(0)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        msg = f"{value!r} is not a duration; write a whole number and a unit, such as 90m, 12h, 30d or 2w"
        raise ValueError(msg)
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > LONGEST:
        msg = f"{value!r} is longer than a hundred years"
        raise ValueError(msg)
    return duration


def format_duration(duration: timedelta) -> str:
    """The shortest exact way to write it: `36h`, `3d`, `90m`."""
    seconds = int(duration.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0 and seconds:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else "0"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": 0}]}),
]
InstantField = Annotated[
    datetime,
    BeforeValidator(lambda value: parse_instant(value) if isinstance(value, str) else value),
    WithJsonSchema({"type": "string", "description": "an instant with its zone, such as 2026-12-24T09:00Z"}),
]
