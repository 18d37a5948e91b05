"""Instants from a file: UTC microseconds since 1970, never without a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.clock import EPOCH, to_micros
from engine.facts.refusal import Refused, shown
from engine.facts.values import Parse

FIRST_YEAR, LAST_YEAR = 1970, 2200
UNIX = "unix"


def instants(layout: str | None, zone: ZoneInfo | None) -> Parse:
    """A parser for one way of writing instants.

    `layout` is None for ISO 8601, `unix` for seconds since 1970, else as in `strptime`.
    A time without its own offset is one of `zone`; where that is None too, it is refused.
    """

    def parse(text: str) -> int:
        moment = _read(text, layout)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            msg = f"is not between {FIRST_YEAR} and {LAST_YEAR}"
            raise Refused(msg, shown(text))
        micros = to_micros(moment if moment.tzinfo else _placed(moment, zone, text))
        if micros < 0:
            msg = f"is not between {FIRST_YEAR} and {LAST_YEAR}"
            raise Refused(msg, shown(text))
        return micros

    return parse


def _read(text: str, layout: str | None) -> datetime:
    try:
        if layout is None:
            return datetime.fromisoformat(text)
        if layout == UNIX:
            return EPOCH + timedelta(seconds=_seconds(text))
        return datetime.strptime(text, layout)  # noqa: DTZ007 - `_placed` gives it its zone, or refuses
    except (ValueError, OverflowError) as error:
        wanted = layout or "2026-12-24T09:00Z"
        msg = f"is not a date and time that exists, written as {wanted}"
        raise Refused(msg, shown(text)) from error


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _placed(moment: datetime, zone: ZoneInfo | None, text: str) -> datetime:
    """A wall-clock time in its zone. One that comes twice a year is the first of the two."""
    if zone is None:
        msg = "has no time zone; write 2026-12-24T09:00Z, or give a zone in a map"
        raise Refused(msg, shown(text))
    placed = moment.replace(tzinfo=zone)
    if placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        msg = f"does not exist in {zone.key}, where the clocks went forward"
        raise Refused(msg, shown(text))
    return placed
