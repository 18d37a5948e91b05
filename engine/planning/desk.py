"""The temporary tables on which a plan is worked out. Nothing else is written by planning.

`campaigns`, `steps` and `offers` are the book as tables; `audience` is who qualifies, `entries`
who begins a run now, `runs` every run with a step due, each of which ends with a verdict.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, String, Table

from engine.audience.judged import AUDIENCE, clear
from engine.campaigns.model import Waiting
from engine.clock import span
from engine.planning.assignment import draw, threshold
from engine.planning.book import Book
from engine.store.dialect import lay_out, memory_table
from engine.store.types import Instant

UNDECIDED = ""


@dataclass(frozen=True)
class Desk:
    """One plan's temporary tables."""

    campaigns: Table
    steps: Table
    offers: Table
    audience: Table
    entries: Table
    runs: Table
    occasions: Table
    hours: Table
    clocks: Table


def _text(name: str, length: int, *, key: bool = False) -> Column[str]:
    return Column(name, String(length), primary_key=key, nullable=False)


def _campaign_key() -> Column[str]:
    return _text("campaign_id", 100, key=True)


def _campaign_columns() -> list[Column[Any]]:
    numbers = ("priority", "lot_a", "lot_b", "held_below", "again_after", "cool_down", "offers_again_after")
    return [
        _campaign_key(),
        _text("name", 100),
        _text("version", 16),
        _text("track", 10),
        _text("topic", 100),
        _text("first_step", 100),
        Column("first_after", BigInteger, nullable=False),
        Column("first_days", Integer),  # or so many days by the customer's calendar
        Column("repeats", Boolean, nullable=False),
        Column("transactional", Boolean, nullable=False),
        Column("waits_for", Boolean, nullable=False),  # it begins on something, see `occasions`
        *(Column(name, BigInteger, nullable=False) for name in numbers),
    ]


def _step_columns() -> list[Column[Any]]:
    return [
        _campaign_key(),
        _text("step_id", 100, key=True),
        Column("next_step", String(100)),
        Column("next_after", BigInteger),
        Column("next_days", Integer),
        _text("schedule", 16),  # '' lets its mails go at any time
        Column("asks_country", Boolean, nullable=False),
        Column("hold_at_most", BigInteger),  # none: it waits forever
        Column("hold_exits", Boolean, nullable=False),
        Column("removed", Boolean, nullable=False),  # from the file; see `removed`
    ]


def run_key() -> list[Column[Any]]:
    """Whose run, and of which campaign."""
    return [Column("customer_id", BigInteger, primary_key=True, autoincrement=False), _campaign_key()]


def run_columns(*, key: bool = False) -> list[Column[Any]]:
    """With `key` a mail planned earlier and a later step of the same run can stand side by side."""
    return [
        Column("spell", Integer, primary_key=key, autoincrement=False, nullable=False),
        _text("step_id", 100, key=key),
        Column("entered_at", Instant, nullable=False),
        Column("held_out", Boolean, nullable=False),
        Column("due_at", Instant, nullable=False),
    ]


def _verdict_columns() -> list[Column[Any]]:
    return [
        Column("planned_at", Instant, nullable=False),
        Column("again", Boolean, nullable=False, default=False),  # planned before, and not sent yet
        Column("verdict", String(8), nullable=False, default=UNDECIDED),
        Column("reason", String(40), nullable=False, default=""),
        Column("detail", String(400), nullable=False, default=""),
        Column("ends", Boolean, nullable=False, default=False),
        Column("wakes_at", Instant),  # of what is held until then
        Column("closes_at", Instant),  # of a mail that may go until then
        Column("next_due_at", Instant),  # of the next step, where its wait goes by the calendar
    ]


def _hours_columns() -> list[Column[Any]]:
    """By schedule and place, what holds for the mails that fell due in a span of time."""
    return [
        _text("schedule", 16, key=True),
        _text("timezone", 64, key=True),
        _text("country", 60, key=True),
        Column("due_from", Instant, primary_key=True, autoincrement=False),
        Column("due_to", Instant, nullable=False),
        *(_text(name, length) for name, length in (("verdict", 8), ("reason", 40), ("detail", 400))),
        Column("wakes_at", Instant),
        Column("closes_at", Instant),
    ]


def _clock_columns() -> list[Column[Any]]:
    """By time zone, from when on its clocks are so far ahead of UTC, and what they show then."""
    return [
        _text("timezone", 64, key=True),
        Column("at_from", BigInteger, primary_key=True, autoincrement=False),
        Column("local_from", BigInteger, nullable=False),
        Column("ahead", BigInteger, nullable=False),
    ]


DESK = Desk(
    campaigns=memory_table("plan_campaigns", _campaign_columns()),
    steps=memory_table("plan_steps", _step_columns()),
    offers=memory_table("plan_offers", [_campaign_key(), _text("sku", 200, key=True)]),
    audience=AUDIENCE,
    entries=memory_table("plan_entries", [*run_key(), *run_columns(key=True)]),
    runs=memory_table("plan_runs", [*run_key(), *run_columns(key=True), *_verdict_columns()]),
    occasions=memory_table("plan_occasions", [*run_key(), Column("at", Instant, primary_key=True)]),
    hours=memory_table("plan_hours", _hours_columns()),
    clocks=memory_table("plan_clocks", _clock_columns()),
)


def set_desk(connection: Connection, book: Book) -> Desk:
    """The desk, laid out in this connection: the book's own tables filled in, the others empty."""
    clear(connection)
    lay_out(connection, DESK.campaigns, DESK.steps, DESK.offers, DESK.entries, DESK.runs)
    lay_out(connection, DESK.occasions, DESK.hours, DESK.clocks)
    fill(connection, DESK.campaigns, _campaign_rows(book))
    fill(connection, DESK.steps, _step_rows(book))
    fill(
        connection,
        DESK.offers,
        ({"campaign_id": c.id, "sku": sku} for c in book.campaigns for sku in c.offers),
    )
    return DESK


def _campaign_rows(book: Book) -> Iterator[dict[str, Any]]:
    usual, refused = book.settings.cool_down, book.settings.offers_again_after
    for campaign in book.campaigns:
        a, b = draw(campaign.id)
        yield {
            "campaign_id": campaign.id,
            "name": campaign.name or campaign.id,
            "version": campaign.version,
            "track": campaign.track,
            "topic": campaign.topic,
            "first_step": campaign.steps[0].id,
            "first_after": span(campaign.steps[0].after),
            "first_days": campaign.steps[0].local_days,
            "repeats": campaign.enter.repeats,
            "transactional": campaign.transactional,
            "waits_for": campaign.on is not None,
            "again_after": span(campaign.enter.again_after),
            "priority": campaign.priority,
            "lot_a": a,
            "lot_b": b,
            "held_below": threshold(campaign.holdout),
            "cool_down": span(usual.after_purchase if campaign.cool_down is None else campaign.cool_down),
            "offers_again_after": span(
                refused if campaign.offers_again_after is None else campaign.offers_again_after
            ),
        }


def _step_rows(book: Book) -> Iterator[dict[str, Any]]:
    usual = Waiting(book.settings.hold.at_most, book.settings.hold.then)
    for campaign in book.campaigns:
        for step in campaign.steps:
            hold = step.hold.under(usual)
            following = campaign.next_step(step.id)
            schedule = book.schedules.get((campaign.id, step.id))
            yield {
                "campaign_id": campaign.id,
                "step_id": step.id,
                "next_step": following.id if following else None,
                "next_after": span(following.after) if following else None,
                "next_days": following.local_days if following else None,
                "schedule": schedule.key if schedule else "",
                "asks_country": schedule is not None and schedule.asks_country,
                "hold_at_most": span(hold.at_most) if isinstance(hold.at_most, timedelta) else None,
                "hold_exits": hold.then == "exit",
                "removed": False,
            }


def fill(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Put the rows into a table of the desk."""
    filled = list(rows)
    if filled:
        connection.execute(table.insert(), filled)
