"""A mapping that was wrong is mended, and what came before is taken up anew: as if it had never been wrong."""

from itertools import pairwise

import pytest

from engine.facts.receiving.looking_back import take_up_anew
from engine.settings.model import Settings
from engine.store.tables import changes
from tests.receiving.ear import Ear, track

TOLD = [
    track("Lesson Completed", 1, sku="123", unit="l1"),
    track("Offer Refused", 2, sku="123"),
    track("Order Completed", 3, order_id="o1", products=[{"sku": "123", "price": 5}]),
    track("Order Refunded", 4, order_id="o1", refund_id="r1", products=[{"sku": "123", "price": 2}]),
    track("Lesson Completed", 1, sku="guide", unit="l1"),  # at the same instant, and of a name of its own
]


def named(ear: Ear, sku: str | None) -> Ear:
    products = {} if sku is None else {"segment:123": sku}
    return Ear(ear.store, Settings.model_validate({"receiving": {"products": products}}))


def told_of(ear: Ear) -> list[list[str]]:
    tables = ("consumption", "funnel_events", "order_lines", "refunds")
    return [sorted(sku for (sku,) in ear.rows(table, "sku")) for table in tables]


@pytest.mark.parametrize(
    "meant",
    [
        ("mug", "course"),
        (None, "course"),
        ("mug", None),
        ("mug", "towel", "course"),
        ("course", "mug", "course"),
    ],
)
def test_a_name_that_is_given_another_product_leaves_nothing_with_the_one_it_had(
    ear: Ear, meant: tuple[str | None, ...]
) -> None:
    named(ear, meant[0]).tell("segment", *TOLD)
    for _, sku in pairwise(meant):
        with ear.store.writing() as connection:
            connection.execute(changes.delete())
            assert take_up_anew(connection, ["segment"], whole=True) == len(TOLD)
        assert named(ear, sku).take_up().applied == len(TOLD)
        ours = sku or "123"
        assert told_of(ear) == [sorted([ours, "guide"]), [ours], [ours], [ours]]
        assert ear.rows("changes", "customer_id"), "their rules are asked anew"


def test_nothing_is_let_go_of_what_nobody_takes_up_anew(ear: Ear) -> None:
    named(ear, "mug").tell("segment", TOLD[0])
    named(ear, "course").tell("segment", track("Lesson Completed", 1, sku="123", unit="l2"))
    assert ear.rows("consumption", "sku", "unit") == [("course", "l2"), ("mug", "l1")]
