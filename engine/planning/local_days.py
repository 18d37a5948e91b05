"""Waits by the calendar: the same time of day, so many days later, where the customer lives.

A time that the clocks leave out is taken as if they had not been changed; of a time that they show
twice, the first is meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ScalarSelect,
    Table,
    and_,
    delete,
    func,
    literal,
    select,
    type_coerce,
    update,
)

from engine.clock import LAST, span, to_micros
from engine.planning.book import Book
from engine.planning.desk import Desk, fill
from engine.store.tables import customers
from engine.store.types import Instant
from engine.zones import DAY, known_zone, stretches


@dataclass(frozen=True)
class _Waits:
    """Rows of `table`, and the tables beside it, that wait `days` from `start`; the end goes to `column`."""

    table: Table
    column: str
    these: ColumnElement[bool]
    start: ColumnElement[Any]
    days: ColumnElement[Any]

    @property
    def where(self) -> ColumnElement[bool]:
        return and_(self.these, self.days.is_not(None), customers.c.customer_id == self.table.c.customer_id)


def entries_fall_due(connection: Connection, book: Book, desk: Desk) -> None:
    """When the first step falls due of those who enter, where it waits by the calendar."""
    entry, campaign = desk.entries, desk.campaigns
    these = campaign.c.campaign_id == entry.c.campaign_id
    waits = _Waits(entry, "due_at", these, entry.c.entered_at, campaign.c.first_days)
    if any(campaign.steps[0].local_days is not None for campaign in book.campaigns):
        _fall_due(connection, book, desk, waits)


def next_steps_fall_due(connection: Connection, book: Book, desk: Desk, now: datetime) -> None:
    """When the step after one that is decided upon now falls due, where it waits by the calendar."""
    runs, step = desk.runs, desk.steps
    these = and_(step.c.campaign_id == runs.c.campaign_id, step.c.step_id == runs.c.step_id)
    waits = _Waits(runs, "next_due_at", these, literal(to_micros(now), BigInteger), step.c.next_days)
    if any(step.local_days is not None for campaign in book.campaigns for step in campaign.steps[1:]):
        _fall_due(connection, book, desk, waits)


def _fall_due(connection: Connection, book: Book, desk: Desk, waits: _Waits) -> None:
    connection.execute(delete(desk.clocks))
    fill(connection, desk.clocks, _clocks(connection, book, waits))
    start = type_coerce(waits.start, BigInteger)
    local = (
        start
        + _ahead(desk.clocks, desk.clocks.c.at_from <= start)
        + waits.days * literal(span(DAY), BigInteger)
    )
    due = local - _ahead(desk.clocks, desk.clocks.c.local_from <= local)
    connection.execute(
        update(waits.table).where(waits.where).values({waits.column: type_coerce(due, Instant)})
    )


def _ahead(clocks: Table, begun: ColumnElement[bool]) -> ScalarSelect[int]:
    """SQL: how far ahead the customer's clock is, by the last of its rows that has begun."""
    last = select(clocks.c.ahead).where(clocks.c.timezone == customers.c.timezone, begun)
    latest_first = last.order_by(clocks.c.at_from.desc()).limit(1)
    return latest_first.correlate_except(clocks).scalar_subquery()


def _clocks(connection: Connection, book: Book, waits: _Waits) -> Iterator[dict[str, Any]]:
    """The changes of the clocks of everybody who waits, over the time for which they do."""
    first, last, most = (
        func.min(waits.start, type_=Instant),
        func.max(waits.start, type_=Instant),
        func.max(waits.days),
    )
    rows = select(customers.c.timezone, first, last, most).where(waits.where).group_by(customers.c.timezone)
    for timezone, begin, end, days in connection.execute(rows).all():
        zone = known_zone(timezone, book.settings.shop.timezone)
        until = min(end + (days + 2) * DAY, LAST)
        yield from ({"timezone": timezone, **row} for row in _changes(zone, begin, until))


def _changes(zone: str, first: datetime, last: datetime) -> Iterator[dict[str, int]]:
    """From when on the clocks are how far ahead; by the local time from which on a time is read so."""
    before: timedelta | None = None
    for opens, _, ahead in stretches(zone, first, last):
        if ahead != before:
            shown = to_micros(opens) + span(max(before or ahead, ahead))
            yield {"at_from": to_micros(opens), "local_from": shown, "ahead": span(ahead)}
        before = ahead
