"""Which of the runs with a step due may be mailed now, by the clock and calendar of their customers.

What a window says is worked out once for each place in which somebody waits, and joined.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, case, literal, select, update

from engine.campaigns.days_off import country_code
from engine.clock import LAST
from engine.planning.book import Book
from engine.planning.desk import UNDECIDED, Desk, fill
from engine.planning.windows import Place, Schedule, timings
from engine.store.tables import customers
from engine.zones import known_zone


class _Asked(NamedTuple):
    """A schedule, and the customers' zone and country as they are written down."""

    schedule: str
    timezone: str
    country: str


def place_of(book: Book, timezone: str, country: str) -> Place:
    """Where customers live of whom this is written down; in the shop's zone where theirs is not known."""
    return Place(known_zone(timezone, book.settings.shop.timezone), country_code(country))


def keep_to_hours(connection: Connection, book: Book, desk: Desk, now: datetime) -> None:
    """Hold the undecided runs that are outside their window or in quiet hours, and skip those too late."""
    if not book.schedules:
        return
    schedules = {schedule.key: schedule for schedule in book.schedules.values()}
    asked = (_Asked(*row) for row in connection.execute(_asked(desk)))
    fill(connection, desk.hours, (row for each in asked for row in _rows(book, schedules, each, now)))
    runs, hours = desk.runs, desk.hours
    theirs = and_(
        hours.c.schedule == desk.steps.c.schedule,
        hours.c.timezone == customers.c.timezone,
        hours.c.country == _country(desk),
        runs.c.due_at >= hours.c.due_from,
        runs.c.due_at < hours.c.due_to,
    )
    decided = ("verdict", "reason", "detail", "wakes_at", "closes_at")
    connection.execute(
        update(runs)
        .where(runs.c.verdict == UNDECIDED, _joined(desk, runs), theirs)
        .values({name: hours.c[name] for name in decided})
    )


def _asked(desk: Desk) -> Any:
    """Every schedule with every zone and country in which a run waits that keeps to it."""
    runs, step = desk.runs, desk.steps
    rows = select(step.c.schedule, customers.c.timezone, _country(desk)).distinct()
    return rows.where(runs.c.verdict == UNDECIDED, step.c.schedule != "", _joined(desk, runs))


def _joined(desk: Desk, runs: Table) -> ColumnElement[bool]:
    step = desk.steps
    return and_(
        step.c.campaign_id == runs.c.campaign_id,
        step.c.step_id == runs.c.step_id,
        customers.c.customer_id == runs.c.customer_id,
    )


def _country(desk: Desk) -> ColumnElement[str]:
    return case((desk.steps.c.asks_country, customers.c.country), else_=literal(""))


def _rows(
    book: Book, schedules: dict[str, Schedule], asked: _Asked, now: datetime
) -> Iterator[dict[str, Any]]:
    due_to = LAST
    for timing in timings(schedules[asked.schedule], place_of(book, asked.timezone, asked.country), now):
        yield {
            **asked._asdict(),
            "due_from": timing.since,
            "due_to": due_to,
            "verdict": str(timing.verdict),
            "reason": str(timing.reason or ""),
            "detail": timing.detail,
            "wakes_at": timing.wakes_at,
            "closes_at": timing.closes_at,
        }
        due_to = timing.since
