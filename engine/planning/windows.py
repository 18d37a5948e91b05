"""Send windows and quiet hours: when one mail to one place may go. Plain arithmetic, no database.

A window is what a step's `send` says of one day, an overnight one of the day it opens. What quiet
hours leave of it are its pieces, and in those a mail may go. Windows that touch are one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.campaigns.days_off import is_holiday
from engine.campaigns.model import CUSTOMER, SHOP, THEIR_OWN, Send
from engine.clock import FIRST, LAST, MICROSECOND, format_duration
from engine.planning.reasons import Reason, Verdict
from engine.zones import DAY, Hours, Span, local_day, shown

_WORDS = ("between", "timezone", "holidays", "late", "latest")
HORIZON = 400  # days that are looked through for a window


class Place(NamedTuple):
    """Where customers live: a zone that there is, and a country's code or ''."""

    zone: str
    country: str = ""


@dataclass(frozen=True)
class Schedule:
    """What the mails of a step keep to: its `send`, the quiet hours, and the shop's own place."""

    send: Send
    quiet: Hours | None
    shop: Place

    @property
    def key(self) -> str:
        """The same for two schedules that say the same."""
        said = (sorted(self.send.days), *(getattr(self.send, word) for word in _WORDS), self.quiet, self.shop)
        return sha256(repr(said).encode()).hexdigest()[:16]

    @property
    def matters(self) -> bool:
        """Whether any mail could ever have to wait, or be too late."""
        return not self.send.at_any_time or self.quiet is not None or self.send.latest is not None

    @property
    def asks_country(self) -> bool:
        return THEIR_OWN in self.send.holidays


@dataclass(frozen=True)
class Timing:
    """What is to be done with the mails that fell due at `since` or later; '' lets them go."""

    since: datetime
    verdict: str = ""
    reason: Reason | None = None
    detail: str = ""
    wakes_at: datetime | None = None  # when to look again
    closes_at: datetime | None = None  # from when on it may not go any more


def timings(schedule: Schedule, place: Place, now: datetime) -> list[Timing]:
    """For mails that fell due by now, by the time they did, the latest first."""
    on_time = replace(_on_time(schedule, place, now), since=FIRST)
    if on_time.reason is Reason.NEVER_OPEN:
        return [on_time]
    if schedule.send.at_any_time:
        return list(_unless_stale(schedule, place, on_time, now))
    ended = _last_end(schedule, place, now)
    if ended == FIRST:
        return [on_time]
    late = _late(schedule, place, on_time, now)
    return [replace(on_time, since=ended), *_unless_stale(schedule, place, late, now, ended)]


def opening(schedule: Schedule, place: Place, at: datetime) -> Span | None:
    """The piece of a window that holds this instant, or else the next one."""
    first = local_day(_zone(schedule, place), at) - DAY
    found: Span | None = None
    for number in range(HORIZON):
        pieces = [piece for piece in _pieces(schedule, place, first + number * DAY) if piece.closes > at]
        nearest = min(filter(None, (found, *pieces[:1])), default=None)
        if found:
            return nearest  # in a fold, the windows of two days may take turns
        found = nearest
    return found


def _on_time(schedule: Schedule, place: Place, now: datetime) -> Timing:
    if schedule.send.at_any_time and schedule.quiet is None:
        return Timing(now)
    piece = opening(schedule, place, now)
    if piece is None:
        return Timing(now, Verdict.SKIP, Reason.NEVER_OPEN)
    if piece.opens <= now:
        return Timing(now, closes_at=piece.closes)
    reason = Reason.QUIET_HOURS if _in_window(schedule, place, now) else Reason.OUTSIDE_WINDOW
    return Timing(now, Verdict.HOLD, reason, until(piece.opens, _zone(schedule, place)), piece.opens)


def _late(schedule: Schedule, place: Place, on_time: Timing, now: datetime) -> Timing:
    """What is to be done with mails whose window has ended."""
    match schedule.send.late:
        case "skip":
            return Timing(FIRST, Verdict.SKIP, Reason.TOO_LATE, "the window that was meant has ended")
        case "send":
            return _on_time(replace(schedule, send=Send()), place, now)
        case "next_window":
            return on_time


def _unless_stale(
    schedule: Schedule, place: Place, late: Timing, now: datetime, before: datetime = LAST
) -> Iterator[Timing]:
    """The same, but for mails that are more than `latest` late at the time when they could go."""
    latest = schedule.send.latest
    if latest is None or late.verdict == Verdict.SKIP:
        yield replace(late, since=FIRST)
        return
    at = (late.wakes_at or now) - latest
    stale = at if schedule.send.at_any_time else _last_end(schedule, place, at - MICROSECOND)
    stale = max(min(stale, before), FIRST)
    if stale < before:
        yield replace(late, since=stale)
    if stale > FIRST:
        yield Timing(FIRST, Verdict.SKIP, Reason.TOO_LATE, f"by more than {format_duration(latest)}")


def _last_end(schedule: Schedule, place: Place, at: datetime) -> datetime:
    """The last end of a window at or before this instant."""
    day = local_day(_zone(schedule, place), at) + DAY
    for number in range(HORIZON):
        ends = [end for end in _ends(schedule, place, day - number * DAY) if end <= at]
        if ends:
            return max(ends)
    return FIRST


def _ends(schedule: Schedule, place: Place, day: date) -> Iterator[datetime]:
    """When the window of a day ends; not where that of the next day goes on from it."""
    pieces = _pieces(schedule, place, day)
    if not pieces:
        return
    zone, countries = _zone(schedule, place), _countries(schedule, place)
    window, following = (_window(schedule.send, zone, countries, each) for each in (day, day + DAY))
    if not following or window[-1].closes < following[0].opens:
        yield pieces[-1].closes


def _in_window(schedule: Schedule, place: Place, now: datetime) -> bool:
    zone = _zone(schedule, place)
    days = (local_day(zone, now) - DAY, local_day(zone, now))
    spans = (span for day in days for span in _window(schedule.send, zone, _countries(schedule, place), day))
    return any(span.opens <= now < span.closes for span in spans)


def _pieces(schedule: Schedule, place: Place, day: date) -> Sequence[Span]:
    """What the quiet hours leave of the window of a day."""
    pieces = list(_window(schedule.send, _zone(schedule, place), _countries(schedule, place), day))
    if schedule.quiet is None or not pieces:
        return pieces
    first, last = local_day(place.zone, pieces[0].opens) - DAY, local_day(place.zone, pieces[-1].closes)
    for number in range((last - first).days + 1):
        for quiet in _quiet(schedule.quiet, place.zone, first + number * DAY):
            pieces = [left for piece in pieces for left in _less(piece, quiet)]
    return pieces


def _less(span: Span, taken: Span) -> Iterator[Span]:
    if span.opens < min(span.closes, taken.opens):
        yield Span(span.opens, min(span.closes, taken.opens))
    if max(span.opens, taken.closes) < span.closes:
        yield Span(max(span.opens, taken.closes), span.closes)


@lru_cache(maxsize=50_000)
def _window(send: Send, zone: str, countries: tuple[str, ...], day: date) -> tuple[Span, ...]:
    if day.weekday() not in send.days or any(is_holiday(country, day) for country in countries):
        return ()
    return tuple(shown(zone, day, send.between))


@lru_cache(maxsize=50_000)
def _quiet(hours: Hours, zone: str, day: date) -> tuple[Span, ...]:
    return tuple(shown(zone, day, hours))


@lru_cache(maxsize=4_000)
def _countries(schedule: Schedule, place: Place) -> tuple[str, ...]:
    """Whose holidays count; the shop's where the customer's country is not known."""
    theirs = place.country or schedule.shop.country
    return tuple(
        theirs if code == THEIR_OWN else code
        for code in schedule.send.holidays
        if theirs or code != THEIR_OWN
    )


def _zone(schedule: Schedule, place: Place) -> str:
    """Whose clock the window goes by."""
    return {CUSTOMER: place.zone, SHOP: schedule.shop.zone}.get(
        schedule.send.timezone, schedule.send.timezone
    )


def until(at: datetime, zone: str) -> str:
    return f"until {at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} in {zone}"
