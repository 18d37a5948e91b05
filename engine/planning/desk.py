"""The temporary tables on which a plan is worked out. Nothing else is written by planning.

`campaigns`, `steps` and `offers` are the book as tables; `audience` is who qualifies, `entries`
who begins a run now, `runs` every run with a step due, each of which ends with a verdict.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, String, Table

from engine.audience.judged import AUDIENCE, clear
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


def _text(name: str, length: int, *, key: bool = False) -> Column[str]:
    return Column(name, String(length), primary_key=key, nullable=False)


def _campaign_key() -> Column[str]:
    return _text("campaign_id", 100, key=True)


def _campaign_columns() -> list[Column[Any]]:
    numbers = ("priority", "lot_a", "lot_b", "held_below", "again_after")
    return [
        _campaign_key(),
        _text("name", 100),
        _text("version", 16),
        _text("track", 10),
        _text("topic", 100),
        _text("first_step", 100),
        Column("first_after", BigInteger, nullable=False),
        Column("repeats", Boolean, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in numbers),
    ]


def _step_columns() -> list[Column[Any]]:
    return [
        _campaign_key(),
        _text("step_id", 100, key=True),
        Column("next_step", String(100)),
        Column("next_after", BigInteger),
        Column("removed", Boolean, nullable=False),  # from the file; see `removed`
    ]


def _run_key() -> list[Column[Any]]:
    return [Column("customer_id", BigInteger, primary_key=True, autoincrement=False), _campaign_key()]


def _run_columns(*, key: bool = False) -> list[Column[Any]]:
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
    ]


DESK = Desk(
    campaigns=memory_table("plan_campaigns", _campaign_columns()),
    steps=memory_table("plan_steps", _step_columns()),
    offers=memory_table("plan_offers", [_campaign_key(), _text("sku", 200, key=True)]),
    audience=AUDIENCE,
    entries=memory_table("plan_entries", [*_run_key(), *_run_columns()]),
    runs=memory_table("plan_runs", [*_run_key(), *_run_columns(key=True), *_verdict_columns()]),
)


def set_desk(connection: Connection, book: Book) -> Desk:
    """The desk, laid out in this connection: the book's own tables filled in, the others empty."""
    clear(connection)
    lay_out(connection, DESK.campaigns, DESK.steps, DESK.offers, DESK.entries, DESK.runs)
    _fill(connection, DESK.campaigns, _campaign_rows(book))
    _fill(connection, DESK.steps, _step_rows(book))
    _fill(
        connection,
        DESK.offers,
        ({"campaign_id": c.id, "sku": sku} for c in book.campaigns for sku in c.offers),
    )
    return DESK


def _campaign_rows(book: Book) -> Iterator[dict[str, Any]]:
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
            "repeats": campaign.enter.repeats,
            "again_after": span(campaign.enter.again_after),
            "priority": campaign.priority,
            "lot_a": a,
            "lot_b": b,
            "held_below": threshold(campaign.holdout),
        }


def _step_rows(book: Book) -> Iterator[dict[str, Any]]:
    for campaign in book.campaigns:
        for step in campaign.steps:
            following = campaign.next_step(step.id)
            yield {
                "campaign_id": campaign.id,
                "step_id": step.id,
                "next_step": following.id if following else None,
                "next_after": span(following.after) if following else None,
                "removed": False,
            }


def _fill(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    filled = list(rows)
    if filled:
        connection.execute(table.insert(), filled)
