"""What an edit of a campaign does to the people in it: one case for every row of docs/edits.md."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from engine.settings import Frequency, Settings
from engine.store import tables
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Change, Line, Order, Use

PAGE = Path(__file__).parents[2] / "docs" / "edits.md"
MAIL = "email: {subject: S, template: a.html}"


def steps(*named: str, **after: str) -> str:
    """Steps of these ids; the first is due at once, each other two days after the one before."""
    waits = {name: "2d" if number else "0" for number, name in enumerate(named)} | after
    return ", ".join(f"{{id: {name}, after: {waits[name]}, {MAIL}}}" for name in named).join("[]")


ABC = steps("a", "b", "c")


@dataclass
class Edit:
    """An edit, and what is decided about one customer: before it, and from the day after it on.

    `told` has the day since the entry of each decision, its step, and the reason.
    """

    told: list[tuple[int, str, str]]
    after: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=lambda: {"steps": ABC})
    on: int = 1  # the day of the edit
    until: int = 9
    facts: Callable[[Shop], None] = lambda _: None  # what happens on the day of the edit
    settings: Settings | None = None
    others: list[str] = field(default_factory=list)
    sends: bool = True


def bought_mug(shop: Shop) -> None:
    line = {"order_ref": "x", "line_ref": "1", "sku": "mug", "quantity": 1, "amount": 1500}
    shop.add("order_lines", customer_id=1, at=NOW + DAY, recorded_at=NOW, **line)


def _days(*told: tuple[int, str]) -> list[tuple[int, str, str]]:
    return [(day, step, "due") for day, step in told]


WHOLE = _days((0, "a"), (2, "b"), (4, "c"))
