"""The story of a shop whose funnel is told: what closes a transaction, and what explain says of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stories.conftest import Aftersale

ORDERS = """order_id,email,at,sku,amount,checkout_id,position
1,ann@shop.example,2026-03-09T10:00Z,starter-guide,7,ch1,
2,ann@shop.example,2026-03-09T10:10Z,flagship,97,,
3,ann@shop.example,2026-03-09T10:30Z,mug,15,,bump
4,ann@shop.example,2026-03-10T08:00Z,mug,15,ch1,
"""
FUNNEL = """email,what,at,checkout_id
ann@shop.example,completed,2026-03-09T10:20Z,ch1
ann@shop.example,checkout_started,2026-03-10T08:30Z,ch9
"""


@pytest.fixture
def shop(aftersale: Aftersale, tmp_path: Path) -> Callable[..., Any]:
    assert aftersale("init", ".").code == 0
    for name, text in (("orders.csv", ORDERS), ("funnel.csv", FUNNEL)):
        (tmp_path / name).write_text(text)
    assert aftersale("import", "orders.csv", "funnel.csv").code == 0
    return aftersale


def test_explain_tells_what_opened_and_closed_a_transaction(shop: Aftersale) -> None:
    told = shop("explain", "ann@shop.example").out
    assert (
        "transaction 1 (front end): opened 2026-03-09 10:00Z by order 1, closed 2026-03-09 10:20Z, "
        "when its funnel was completed" in told
    )
    assert (
        "transaction 2 (back end): opened 2026-03-09 10:30Z by order 3, closed 2026-03-09 11:30Z, "
        "when front_end.window had passed" in told
    )
    assert "checkout ch9: started 2026-03-10 08:30Z, open until an order or 2026-03-11 08:30Z" in told


def test_explain_tells_where_each_line_stands_and_why(shop: Aftersale) -> None:
    first, second = shop("explain", "ann@shop.example", "--json").json["transactions"]
    lines = [
        (line["order"], line["position"], line["because"], line["end"])
        for line in (*first["lines"], *second["lines"])
    ]
    assert lines == [
        ("1", "core", "its order opened the transaction", "front"),
        ("2", "upsell", "added to the transaction", "front"),
        ("4", "upsell", "added to the transaction", "front"),
        ("3", "bump", "the source says so", "back"),
    ]


def test_explain_of_an_instant_knows_what_had_happened_by_then(shop: Aftersale) -> None:
    told = shop("explain", "ann@shop.example", "--at", "2026-03-09T10:15Z").out
    assert "opened 2026-03-09 10:00Z by order 1, open until 2026-03-09 11:00Z" in told
    assert "transaction 2" not in told
