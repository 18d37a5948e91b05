"""Weeks and months by the shop's calendar, and which of them an instant lies in, in SQL."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, Connection, func, insert, select

from engine.clock import to_micros
from engine.store.dialect import lay_out, memory_table
from engine.store.types import Instant

Length = Literal["week", "month"]
SPANS = memory_table("spans", [Column("begins", Instant, primary_key=True)])
WEEK = timedelta(days=7)


class Period(NamedTuple):
    """A week or a month, or what of it lies within the time that is asked about."""

    name: str  # 2026-03, or the Monday a week begins on
    begins: datetime
    ends: datetime


class Asked(NamedTuple):
    """What time a report is asked about: from `since` up to `until`, as known at `now`."""

    since: datetime | None  # None = from the first fact on
    until: datetime
    now: datetime


def periods(length: Length, since: datetime, until: datetime, zone: ZoneInfo) -> list[Period]:
    """Those from `since` up to `until`, which is not within the last one any more."""
    found: list[Period] = []
    for begins, ends in _whole(length, since.astimezone(zone), zone):
        if begins >= until:
            return found
        name = f"{begins:%Y-%m}" if length == "month" else f"{begins:%Y-%m-%d}"
        found.append(Period(name, max(begins, since), min(ends, until)))
    return found


def _whole(length: Length, since: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Whole weeks or months without end, the first one around `since`; days are those of the zone."""
    day = since.date()
    day = day.replace(day=1) if length == "month" else day - timedelta(days=day.weekday())
    while True:
        following = (day + timedelta(days=32)).replace(day=1) if length == "month" else day + WEEK
        yield midnight(day, zone), midnight(following, zone)
        day = following


def midnight(day: Any, zone: ZoneInfo) -> datetime:
    """When that day begins in the zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def lay_spans(connection: Connection, found: Sequence[Period]) -> None:
    """Lay out the periods, for `span_of`."""
    lay_out(connection, SPANS)
    if found:
        connection.execute(insert(SPANS), [{"begins": to_micros(period.begins)} for period in found])


def span_of(at: ColumnElement[Any]) -> ColumnElement[Any]:
    """SQL: when the period began that the instant lies in; NULL where it is before all of them."""
    return select(func.max(SPANS.c.begins, type_=Instant)).where(SPANS.c.begins <= at).scalar_subquery()
