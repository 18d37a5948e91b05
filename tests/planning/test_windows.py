"""When a mail may go: tables of odd days, and every window against a clock that is read minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.campaigns.days_off import country_code, is_holiday, known_country
from engine.campaigns.model import EVERY_DAY, Send
from engine.planning.reasons import Reason
from engine.planning.windows import Place, Schedule, opening, timings
from engine.zones import WHOLE_DAY, Hours, parse_hours, shown

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
CHATHAM, APIA, CASABLANCA = "Pacific/Chatham", "Pacific/Apia", "Africa/Casablanca"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(zone: str, day: str, hours: str) -> list[str]:
    return [
        f"{s.opens:%d %H:%M}-{s.closes:%d %H:%M}"
        for s in shown(zone, date.fromisoformat(day), parse_hours(hours))
    ]


@pytest.mark.parametrize(
    ("zone", "day", "hours", "expected"),
    [
        (BERLIN, "2026-06-01", "09:00-11:00", ["01 07:00-01 09:00"]),
        (BERLIN, "2026-06-01", "21:00-08:00", ["01 19:00-02 06:00"]),
        (BERLIN, "2026-06-01", "00:00-24:00", ["31 22:00-01 22:00"]),
        # the clocks go forward: two o'clock is three
        (BERLIN, "2026-03-29", "02:15-02:45", []),
        (BERLIN, "2026-03-29", "02:30-05:00", ["29 01:00-29 03:00"]),
        (BERLIN, "2026-03-29", "01:30-02:30", ["29 00:30-29 01:00"]),
        (BERLIN, "2026-03-28", "22:00-06:00", ["28 21:00-29 04:00"]),  # an hour shorter
        (NEW_YORK, "2026-03-08", "02:00-03:00", []),
        # the clocks go back: what is shown twice counts twice
        (BERLIN, "2026-10-25", "02:15-02:45", ["25 00:15-25 00:45", "25 01:15-25 01:45"]),
        (BERLIN, "2026-10-25", "01:30-03:30", ["24 23:30-25 02:30"]),
        (NEW_YORK, "2026-11-01", "00:30-01:30", ["01 04:30-01 05:30", "01 06:00-01 06:30"]),
        # half an hour only
        (LORD_HOWE, "2026-10-04", "02:00-02:30", []),
        (LORD_HOWE, "2026-10-04", "01:45-02:45", ["03 15:15-03 15:45"]),
        (LORD_HOWE, "2026-04-05", "01:30-02:00", ["04 14:30-04 15:30"]),
        # 12:45 ahead, and 13:45
        (CHATHAM, "2026-06-01", "09:00-10:00", ["31 20:15-31 21:15"]),
        (CHATHAM, "2026-09-27", "02:45-03:45", []),
        # the 30th of December 2011 was left out
        (APIA, "2011-12-30", "00:00-24:00", []),
        (APIA, "2011-12-29", "22:00-06:00", ["30 08:00-30 10:00"]),
        (APIA, "2011-12-31", "09:00-10:00", ["30 19:00-30 20:00"]),
        # back for Ramadan, in February, and forward after it
        (CASABLANCA, "2026-02-15", "02:00-03:00", ["15 01:00-15 03:00"]),
        (CASABLANCA, "2026-03-22", "02:00-03:00", []),
        (BERLIN, "2028-02-29", "23:00-01:00", ["29 22:00-01 00:00"]),
    ],
)
def test_hours_of_a_day(zone: str, day: str, hours: str, expected: list[str]) -> None:
    assert told(zone, day, hours) == expected


def plan(send: Send, quiet: str | None = None, country: str = "") -> Schedule:
    return Schedule(send, parse_hours(quiet) if quiet else None, Place(NEW_YORK, country))


MORNINGS = Send(frozenset({0, 1}), Hours(540, 660))  # Monday and Tuesday, nine to eleven


@pytest.mark.parametrize(
    ("send", "quiet", "now", "expected"),
    [
        (MORNINGS, None, "2026-11-30 08:30", "30 08:00-30 10:00"),
        (MORNINGS, None, "2026-11-30 10:00", "01 08:00-01 10:00"),  # its end is no part of it
        (MORNINGS, None, "2026-12-01 10:00", "07 08:00-07 10:00"),
        (MORNINGS, "08:00-09:30", "2026-11-30 08:00", "30 08:30-30 10:00"),
        (MORNINGS, "10:00-10:15", "2026-11-30 09:05", "30 09:15-30 10:00"),
        # over night, of the day it opens: Sunday morning is Saturday's
        (Send(frozenset({5}), Hours(1320, 1560)), None, "2026-11-29 00:30", "28 21:00-29 01:00"),
        (Send(frozenset({6}), Hours(1320, 1560)), None, "2026-11-29 00:30", "29 21:00-30 01:00"),
        # in the gap of this day: the next one
        (Send(EVERY_DAY, Hours(135, 165)), None, "2026-03-29 00:00", "30 00:15-30 00:45"),
        # by the shop's clock, quiet by the customer's
        (Send(EVERY_DAY, Hours(540, 600), "shop"), None, "2026-06-01 00:00", "01 13:00-01 14:00"),
        (Send(EVERY_DAY, Hours(540, 660), "shop"), "16:00-20:00", "2026-06-01 00:00", "01 13:00-01 14:00"),
        (Send(EVERY_DAY, Hours(540, 660), "shop"), "13:00-20:00", "2026-06-01 00:00", None),
        (Send(EVERY_DAY, Hours(540, 660), "Asia/Tokyo"), None, "2026-06-01 00:00", "01 00:00-01 02:00"),
        (Send(), "21:00-08:00", "2026-06-01 00:00", "01 06:00-01 19:00"),
        # Christmas of Germany: a Friday; the days before and after are none
        (Send(EVERY_DAY, Hours(540, 600), holidays=("DE",)), None, "2026-12-24 09:00", "27 08:00-27 09:00"),
        (
            Send(EVERY_DAY, Hours(540, 600), holidays=("customer",)),
            None,
            "2026-12-24 09:00",
            "26 08:00-26 09:00",
        ),
    ],
)
def test_the_opening_that_holds_an_instant_or_is_next(
    send: Send, quiet: str | None, now: str, expected: str | None
) -> None:
    found = opening(plan(send, quiet), Place(BERLIN, "US"), at(now))
    assert (f"{found.opens:%d %H:%M}-{found.closes:%d %H:%M}" if found else None) == expected


@pytest.mark.parametrize(
    ("words", "due", "now", "expected"),
    [
        # on time: goes within its window, waits for it
        ({}, "2026-11-29 12:00", "2026-11-30 08:00", ""),
        (
            {},
            "2026-11-29 12:00",
            "2026-11-29 12:00",
            "outside_window until Mon 2026-11-30 09:00 in Europe/Berlin",
        ),
        # late, when the window that was meant has ended
        (
            {},
            "2026-11-30 09:30",
            "2026-11-30 10:00",
            "outside_window until Tue 2026-12-01 09:00 in Europe/Berlin",
        ),
        ({}, "2026-11-23 08:30", "2026-11-30 08:00", ""),
        ({"late": "skip"}, "2026-11-30 09:30", "2026-11-30 09:59", ""),
        (
            {"late": "skip"},
            "2026-11-30 09:30",
            "2026-11-30 10:00",
            "too_late the window that was meant has ended",
        ),
        (
            {"late": "skip"},
            "2026-11-30 10:00",
            "2026-11-30 10:00",
            "outside_window until Tue 2026-12-01 09:00 in Europe/Berlin",
        ),
        ({"late": "send"}, "2026-11-30 09:30", "2026-11-30 10:00", ""),
        (
            {"late": "send"},
            "2026-11-30 09:30",
            "2026-11-30 23:00",
            "quiet_hours until Tue 2026-12-01 07:00 in Europe/Berlin",
        ),
        # days that follow each other are one window
        ({"between": WHOLE_DAY, "late": "skip"}, "2026-11-30 09:30", "2026-12-01 12:00", ""),
        (
            {"between": WHOLE_DAY, "late": "skip"},
            "2026-11-30 09:30",
            "2026-12-02 12:00",
            "too_late the window that was meant has ended",
        ),
        # by more than `latest`, counted from the end of that window to when it could go
        (
            {"latest": 2 * DAY},
            "2026-11-30 09:30",
            "2026-11-30 12:00",
            "outside_window until Tue 2026-12-01 09:00 in Europe/Berlin",
        ),
        ({"latest": 2 * DAY}, "2026-12-01 09:30", "2026-12-01 12:00", "too_late by more than 2d"),
        ({"latest": 6 * DAY}, "2026-11-30 09:30", "2026-12-07 08:00", "too_late by more than 6d"),
        ({"latest": 6 * DAY}, "2026-12-01 09:30", "2026-12-07 09:59", ""),
        ({"late": "send", "latest": HOUR}, "2026-11-30 09:30", "2026-11-30 11:00", ""),
        (
            {"late": "send", "latest": HOUR},
            "2026-11-30 09:30",
            "2026-11-30 11:01",
            "too_late by more than 1h",
        ),
        # without a window, from when it fell due
        (
            {"days": EVERY_DAY, "between": WHOLE_DAY, "latest": DAY},
            "2026-11-30 09:30",
            "2026-12-01 09:30",
            "",
        ),
        (
            {"days": EVERY_DAY, "between": WHOLE_DAY, "latest": DAY},
            "2026-11-30 09:29",
            "2026-12-01 09:30",
            "too_late by more than 1d",
        ),
    ],
)
def test_what_is_late(words: dict, due: str, now: str, expected: str) -> None:
    send = Send(**({"days": MORNINGS.days, "between": MORNINGS.between} | words))
    rows = timings(plan(send, "22:00-07:00"), Place(BERLIN), at(now))
    [*_, row] = [row for row in rows if row.since <= at(due)][:1]
    assert " ".join(filter(None, (row.reason, row.detail))) == expected
    assert [row.since for row in rows] == sorted((row.since for row in rows), reverse=True)


def test_a_window_that_never_opens_is_told() -> None:
    send = Send(EVERY_DAY, Hours(540, 600), "Asia/Tokyo")  # midnight to one o'clock UTC
    [row] = timings(plan(send, "00:00-03:00"), Place("UTC"), at("2026-11-30 08:00"))
    assert (row.verdict, row.reason) == ("skip", Reason.NEVER_OPEN)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("Germany", "DE"),
        ("DE-BY", "DE-BY"),
        ("", ""),
        ("Mars", ""),
        ("DE-XX", ""),
    ],
)
def test_countries_as_shops_write_them(told: str, code: str) -> None:
    assert country_code(told) == code
    assert known_country(code) is bool(code)


def test_holidays_of_a_part_of_a_country() -> None:
    epiphany = date(2026, 1, 6)
    assert (is_holiday("DE", epiphany), is_holiday("DE-BY", epiphany)) == (False, True)


# ── Against a clock that is read minute by minute ───────────────────────────────────────────────

ODD_DAYS = [
    (BERLIN, "2026-03-28 20:00"),
    (BERLIN, "2026-10-24 20:00"),
    (NEW_YORK, "2026-03-08 00:00"),
    (NEW_YORK, "2026-11-01 00:00"),
    (LORD_HOWE, "2026-04-04 10:00"),
    (LORD_HOWE, "2026-10-03 10:00"),
    (CHATHAM, "2026-04-04 09:00"),
    (CHATHAM, "2026-09-26 09:00"),
    (APIA, "2011-12-30 05:00"),
    (CASABLANCA, "2026-02-14 22:00"),
    (CASABLANCA, "2026-03-21 22:00"),
    ("America/Sao_Paulo", "2018-11-03 22:00"),  # midnight was left out
    ("America/Sao_Paulo", "2018-02-17 22:00"),  # the last hour of a day came twice
    (BERLIN, "2028-02-28 20:00"),
    (BERLIN, "2026-06-01 00:00"),
]
STEP = 15 * MINUTE
quarters = st.integers(0, 95).map(lambda n: n * 15)
hours = st.builds(
    lambda start, length: Hours(start, start + length), quarters, st.integers(1, 95).map(lambda n: n * 15)
)
sends = st.builds(
    Send,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.one_of(hours, st.just(WHOLE_DAY)),
    st.sampled_from(["customer", "shop"]),
)


def reads(zone: str, now: datetime, hours: Hours, days: frozenset[int]) -> bool:
    """By looking at the clock on the wall: within the hours of today, or of yesterday over night."""
    local = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for back in (0, 1):
        midnight = datetime.combine(local.date() - back * DAY, time())
        inside = midnight + hours.start * MINUTE <= local < midnight + hours.end * MINUTE
        if inside and midnight.weekday() in days:
            return True
    return False


def may_go(schedule: Schedule, place: Place, now: datetime) -> bool:
    zone = place.zone if schedule.send.timezone == "customer" else schedule.shop.zone
    quiet = schedule.quiet is not None and reads(place.zone, now, schedule.quiet, EVERY_DAY)
    return reads(zone, now, schedule.send.between, schedule.send.days) and not quiet


@given(st.sampled_from(ODD_DAYS), sends, st.one_of(st.none(), hours), st.integers(0, 96))
@settings(max_examples=200)
def test_an_opening_is_what_the_clock_on_the_wall_says(
    odd: tuple[str, str], send: Send, quiet: Hours | None, quarter: int
) -> None:
    schedule, place = Schedule(send, quiet, Place(NEW_YORK)), Place(odd[0])
    now = at(odd[1]) + quarter * STEP
    found = opening(schedule, place, now)
    going = [now + n * STEP for n in range(9 * 96) if may_go(schedule, place, now + n * STEP)]
    if not going:
        assert found is None or found.opens >= now + 8 * DAY
        return
    assert found is not None
    assert max(found.opens, now) == going[0]
    inside = [moment for moment in going if moment < found.closes]
    assert len(inside) == (min(found.closes, now + 9 * DAY) - going[0]) // STEP, "open without a break"
