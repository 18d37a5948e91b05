"""Moments by the shop's clock, where it is changed: each comes, and none comes twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.campaigns.crontab import Crontab
from engine.campaigns.triggers import Trigger

MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONDON, BERLIN, NEW_YORK = "Europe/London", "Europe/Berlin", "America/New_York"
LORD_HOWE, HAVANA, HELSINKI, APIA = "Australia/Lord_Howe", "America/Havana", "Europe/Helsinki", "Pacific/Apia"
CHATHAM, CASABLANCA = "Pacific/Chatham", "Africa/Casablanca"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def of(line: str) -> Trigger:
    return Trigger(line, cron=Crontab(line))


def next_moments(trigger: Trigger, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Asked for one after the other."""
    while (moment := trigger.next_moment(after, zone)) is not None and moment <= until:
        yield moment
        assert moment > after
        after = moment


SHOWN_TWICE = [
    ("0 1 * * *", LONDON, "2026-10-24T12:00Z", 36, "25T00:00"),
    ("30 1 * * *", NEW_YORK, "2026-10-31T12:00Z", 36, "01T05:30"),
    ("30 2 * * *", BERLIN, "2026-10-24T12:00Z", 36, "25T00:30"),
    ("45 1 * * *", LORD_HOWE, "2026-04-04T00:00Z", 36, "04T14:45"),
    ("0 0 1 11 *", HAVANA, "2026-10-31T12:00Z", 36, "01T04:00"),
    ("30 3 * * *", HELSINKI, "2026-10-24T12:00Z", 36, "25T00:30"),
    ("0 3 * * *", CHATHAM, "2026-04-04T00:00Z", 36, "04T13:15"),
    ("30 2 * * *", CASABLANCA, "2026-02-14T12:00Z", 24, "15T01:30"),
    ("0 * * * *", NEW_YORK, "2026-11-01T03:30Z", 4, "01T04:00 01T05:00 01T07:00"),
    (
        "*/15 1-2 * * *",
        NEW_YORK,
        "2026-11-01T04:50Z",
        3,
        "01T05:00 01T05:15 01T05:30 01T05:45 01T07:00 01T07:15 01T07:30 01T07:45",
    ),
]
LEFT_OUT = [
    ("30 2 8 3 *", NEW_YORK, "2026-03-08T00:00Z", 36, "08T07:30"),
    ("30 2 * * *", NEW_YORK, "2026-03-07T12:00Z", 36, "08T07:30"),
    ("30 2 * * *", BERLIN, "2026-03-28T12:00Z", 36, "29T01:30"),
    ("30 1 * * *", LONDON, "2026-03-28T12:00Z", 36, "29T01:30"),
    ("15 2 * * *", LORD_HOWE, "2026-10-03T00:00Z", 36, "03T15:45"),
    ("0 0 8 3 *", HAVANA, "2026-03-07T12:00Z", 36, "08T05:00"),
    ("0 3 * * *", CHATHAM, "2026-09-26T00:00Z", 36, "26T14:15"),
    ("30 2 * * *", CASABLANCA, "2026-03-21T12:00Z", 24, "22T02:30"),
    ("0 * * * *", NEW_YORK, "2026-03-08T05:30Z", 3, "08T06:00 08T07:00 08T08:00"),
    ("0,30 2-3 * * *", NEW_YORK, "2026-03-08T00:00Z", 24, "08T07:00 08T07:30"),
    ("30 2,3 8 3 *", NEW_YORK, "2026-03-08T00:00Z", 36, "08T07:30"),
    ("0 9 30 12 *", APIA, "2011-12-29T12:00Z", 36, "30T19:00"),
    ("0 9 * * *", APIA, "2011-12-29T12:00Z", 36, "29T19:00 30T19:00"),
]


@pytest.mark.parametrize(("line", "zone", "begins", "hours", "expected"), [*SHOWN_TWICE, *LEFT_OUT])
def test_a_change_of_the_clocks_takes_no_moment_and_doubles_none(
    line: str, zone: str, begins: str, hours: int, expected: str
) -> None:
    trigger, clock, start = of(line), ZoneInfo(zone), at(begins)
    end = start + hours * HOUR
    found = list(next_moments(trigger, start, end, clock))
    assert " ".join(f"{moment:%dT%H:%M}" for moment in found) == expected
    looks = (start + number * QUARTER for number in range((end - start) // QUARTER))
    seen = [trigger.last_moment(look, look + QUARTER, clock) for look in looks]
    assert [moment for moment in seen if moment is not None] == found
    assert trigger.last_moment(start, end, clock) == found[-1]


@pytest.mark.parametrize(
    ("zone", "reading"),
    [
        (NEW_YORK, "2026-03-08 02:30"),
        (NEW_YORK, "2026-11-01 01:30"),
        (NEW_YORK, "2026-07-01 09:00"),
        (LORD_HOWE, "2026-04-05 01:45"),
        (LORD_HOWE, "2026-10-04 02:15"),
        (CHATHAM, "2026-04-05 03:00"),
        (CHATHAM, "2026-09-27 03:00"),
        (CASABLANCA, "2026-02-15 02:30"),
        (CASABLANCA, "2026-03-22 02:30"),
        (APIA, "2011-12-30 09:00"),
        (LONDON, "2028-02-29 09:00"),
    ],
)
def test_a_date_and_a_cron_line_of_the_same_time_agree(zone: str, reading: str) -> None:
    wall, clock = at(reading), ZoneInfo(zone)
    after, until = (wall.replace(tzinfo=UTC) + days * DAY for days in (-2, 2))
    date = Trigger("date", dates=(wall,))
    line = of(f"{wall.minute} {wall.hour} {wall.day} {wall.month} *")
    found = list(date.moments(after, until, clock))
    assert list(line.moments(after, until, clock)) == found
    assert len(found) == 1


MINUTES, HOURS = ("0", "30", "*/15", "5,50", "*"), ("*", "0", "1", "2", "3", "1-3", "*/2", "23")
DAYS = ("* * *", "1 11 *", "8 3 *", "* * 0", "* * 6,1", "29 2 *", "4 4,10 *")
SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
NEAR = (
    "2026-03-08",
    "2026-03-29",
    "2026-04-05",
    "2026-10-04",
    "2026-10-25",
    "2026-11-01",
    "2011-12-30",
    "2026-02-15",
    "2026-03-22",
    "2026-09-27",
)


ZONES = [LONDON, BERLIN, NEW_YORK, LORD_HOWE, HAVANA, HELSINKI, APIA, CHATHAM, CASABLANCA]


def _obvious(line: str, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """Every reading of a clock, minute by minute, that the line names, and when that is."""
    fields = [_numbers(field, *span) for field, span in zip(line.split(), SPANS, strict=True)]
    wall, found = (after - 2 * DAY).replace(tzinfo=None, second=0, microsecond=0), set()
    while wall < (until + 2 * DAY).replace(tzinfo=None):
        told = (wall.minute, wall.hour, wall.day, wall.month, wall.isoweekday() % 7)
        if all(number in field for number, field in zip(told, fields, strict=True)):
            found.add(wall.replace(tzinfo=zone).astimezone(UTC))
        wall += MINUTE
    return sorted(moment for moment in found if after < moment <= until)


def _numbers(field: str, first: int, last: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        begins = first if low == "*" else int(low)
        ends = last if low == "*" else int(high or low)
        found |= set(range(begins, ends + 1, int(step or 1)))
    return found


@settings(max_examples=60)
@given(st.data())
def test_whatever_looks_are_taken_they_see_the_moments_that_there_are(data: st.DataObject) -> None:
    line = " ".join(data.draw(st.sampled_from(each)) for each in (MINUTES, HOURS, DAYS))
    zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
    start = at(data.draw(st.sampled_from(NEAR)) + "T00:00Z") - DAY
    begins, *looks = sorted(
        start + minutes * MINUTE
        for minutes in data.draw(st.lists(st.integers(0, 3 * 24 * 60), min_size=2, max_size=12))
    )
    trigger = of(line)
    expected = _obvious(line, zone, begins, looks[-1])
    assert list(trigger.moments(begins, looks[-1], zone)) == expected
    assert list(next_moments(trigger, begins, looks[-1], zone)) == expected
    for before, look in zip([begins, *looks], looks, strict=False):
        between = [moment for moment in expected if before < moment <= look]
        assert list(trigger.moments(before, look, zone)) == between
        assert trigger.last_moment(before, look, zone) == (between[-1] if between else None)


def test_after_years_without_a_look_the_last_moment_is_found() -> None:
    leap_day = of("0 9 29 2 *")
    assert leap_day.last_moment(at("2017-01-01T00:00Z"), at("2027-12-31T00:00Z"), ZoneInfo(LONDON)) == at(
        "2024-02-29T09:00Z"
    )


def test_the_next_moment_may_be_years_ahead() -> None:
    century = of("0 9 29 2 *").next_moment(at("2096-03-01T00:00Z"), ZoneInfo(LONDON))
    assert century == at("2104-02-29T09:00Z")
