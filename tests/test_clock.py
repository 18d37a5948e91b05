"""Instants and durations."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import (
    VirtualClock,
    format_duration,
    from_micros,
    parse_duration,
    parse_instant,
    to_micros,
)
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(days=14)),
        (0, timedelta(0)),
    ],
)
def test_durations(text: object, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "30", 30, "d", "1.5d", "-3d", "3 months", True, None])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_no_duration_is_so_long_that_it_leaves_the_calendar() -> None:
    assert parse_duration("36525d") == timedelta(days=36_525)
    with pytest.raises(ValueError, match="longer than a hundred years"):
        parse_duration("36526d")


@given(st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_duration_is_written_as_it_is_read(duration: timedelta) -> None:
    text = format_duration(duration)
    assert parse_duration(0 if text == "0" else text) == duration


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_survives_the_database_form(instant: datetime) -> None:
    assert from_micros(to_micros(instant)) == instant


@pytest.mark.parametrize("text", ["2026-12-24", "2026-12-24T09:00", "noon", "2026-02-30T00:00Z", ""])
def test_no_instants(text: str) -> None:
    with pytest.raises(ValueError, match="not an instant with a time zone"):
        parse_instant(text)


def test_an_instant_is_told_in_utc() -> None:
    assert parse_instant("2026-03-10T10:00+01:00") == NOW


def test_a_virtual_clock_moves_when_told_to() -> None:
    clock = VirtualClock(NOW)
    clock.advance(timedelta(hours=1))
    assert clock.now() == NOW + timedelta(hours=1)
