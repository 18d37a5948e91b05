"""Transactions: which orders belong to one checkout, whatever the order in which they are imported."""

import random
from datetime import timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.facts.transactions import PaidOrder, transactions_of
from engine.settings import FrontEnd, Settings

from .conftest import TestShop, micros

MINUTE = 60_000_000
WINDOW = 60 * MINUTE


def told(placed: list[PaidOrder]) -> list[tuple[int, str, int, int]]:
    """Each transaction in minutes: when it opened, its orders, its last addition, its number."""
    return [
        (
            found.opened_at // MINUTE,
            "".join(sorted(found.refs)),
            found.last_addition_at // MINUTE,
            found.number,
        )
        for found in transactions_of(placed, WINDOW)
    ]


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([], []),
        ([(0, "a", "")], [(0, "a", 0, 1)]),
        ([(0, "a", ""), (60, "b", "")], [(0, "ab", 60, 1)]),  # at the exact end: inside
        ([(0, "a", ""), (61, "b", "")], [(0, "a", 0, 1), (61, "b", 61, 2)]),
        ([(0, "a", ""), (50, "b", ""), (70, "c", "")], [(0, "ab", 50, 1), (70, "c", 70, 2)]),  # never sliding
        ([(0, "a", "x"), (500, "b", "x")], [(0, "ab", 500, 1)]),  # a late upsell joins
        ([(0, "a", "x"), (200, "b", ""), (500, "c", "x")], [(0, "ac", 500, 1), (200, "b", 200, 2)]),
        ([(0, "a", "x"), (10, "b", "y"), (500, "c", "y")], [(0, "abc", 500, 1)]),
        (
            [(0, "a", "x"), (500, "b", "x"), (510, "c", "")],
            [(0, "ab", 500, 1), (510, "c", 510, 2)],
        ),  # not reopened
        ([(5, "b", ""), (5, "a", "")], [(5, "ab", 5, 1)]),
    ],
)
def test_the_orders_of_one_checkout(orders, expected):
    placed = [PaidOrder(at * MINUTE, ref, checkout) for at, ref, checkout in orders]
    for order in permutations(placed):
        assert told(list(order)) == expected


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([(0, "a", "", True)], []),  # a free order alone makes nobody a customer
        ([(0, "a", "", True), (10, "b", "", False)], [(10, "b", 10, 1)]),
        ([(0, "a", "x", True), (10, "b", "x", False)], [(10, "ab", 10, 1)]),  # of the same checkout
        ([(0, "a", "", False), (10, "b", "", True)], [(0, "ab", 10, 1)]),  # a free extra
        ([(0, "a", "", False), (500, "b", "", True)], [(0, "a", 0, 1), (500, "b", 500, 2)]),
    ],
)
def test_a_free_order_does_not_open_the_first_transaction(orders, expected):
    placed = [PaidOrder(at * MINUTE, ref, checkout, free) for at, ref, checkout, free in orders]
    for order in permutations(placed):
        assert told(list(order)) == expected


def test_the_lines_of_a_free_order_before_all_others_are_of_no_front_end(shop):
    rows = "1,ann@example.com,2026-01-01T00:00Z,sample,0\n2,ann@example.com,2026-02-01T00:00Z,guide,7\n"
    shop.take("order_id,email,at,sku,amount\n" + rows)
    assert shop.rows("order_lines", "sku", "side") == [("guide", "front"), ("sample", "back")]
    assert shop.rows("transactions", "first_order_ref", "number") == [("2", 1)]


ORDERS = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from("abcdefgh"), st.sampled_from(["", "", "x", "y"])),
    max_size=8,
    unique_by=lambda order: order[1],
)


@given(ORDERS)
def test_what_holds_of_all_transactions(orders):
    found = transactions_of([PaidOrder(at * MINUTE, ref, checkout) for at, ref, checkout in orders], WINDOW)
    at = {ref: when * MINUTE for when, ref, _ in orders}
    assert sorted(ref for each in found for ref in each.refs) == sorted(at)
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert all(later.opened_at > earlier.closes_at for earlier, later in pairwise(found))
    checkouts = {ref: checkout for _, ref, checkout in orders if checkout}
    for each in found:
        assert each.opened_at == min(at[ref] for ref in each.refs) == at[each.first_ref]
        assert each.closes_at == each.opened_at + WINDOW
        assert each.last_addition_at == max(at[ref] for ref in each.refs)
    for checkout in "xy":
        assert (
            len({each.number for each in found for ref in each.refs if checkouts.get(ref) == checkout}) <= 1
        )


HEAD = "order_id,email,at,sku,amount,checkout_id\n"
ROWS = [
    "1,ann@example.com,2026-01-01T00:00Z,guide,7,ch1\n",
    "2,ann@example.com,2026-01-01T00:40Z,mug,15,\n",
    "3,ann@example.com,2026-01-05T00:00Z,course,97,\n",
    "4,ann@example.com,2026-01-06T00:00Z,mug,15,ch1\n",
    "5,bob@example.com,2026-01-02T00:00Z,guide,7,\n",
]


def test_transactions_and_sides_are_stored(shop):
    shop.take(HEAD + "".join(ROWS))
    ann, bob = (micros("2026-01-01T00:00Z"), micros("2026-01-02T00:00Z"))
    late, course = micros("2026-01-06T00:00Z"), micros("2026-01-05T00:00Z")
    names = ("first_order_ref", "number", "opened_at", "closes_at", "last_addition_at")
    assert shop.rows("transactions", *names) == [
        ("1", 1, ann, ann + WINDOW, late),
        ("3", 2, course, course + WINDOW, course),
        ("5", 1, bob, bob + WINDOW, bob),
    ]
    assert shop.rows("order_lines", "order_ref", "side") == [
        ("1", "front"), ("2", "front"), ("3", "back"), ("4", "front"), ("5", "front")
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("one_by_one", [False, True])
def test_the_order_of_import_changes_nothing(shop, seed, one_by_one):
    shop.take(HEAD + "".join(ROWS))
    expected = shop.meaning()
    shop.empty()
    rows = random.Random(seed).sample(ROWS, len(ROWS))
    for part in [[row] for row in rows] if one_by_one else [rows]:
        shop.take(HEAD + "".join(part))
    assert shop.meaning() == expected


def test_a_replaced_order_moves_its_transaction(shop):
    shop.take(HEAD + ROWS[0] + ROWS[2])
    shop.take(HEAD + ROWS[0].replace("2026-01-01", "2026-01-08"))
    assert shop.rows("transactions", "first_order_ref", "number") == [("1", 2), ("3", 1)]
    assert shop.rows("order_lines", "order_ref", "side") == [("1", "back"), ("3", "front")]


def test_the_window_is_a_setting(shop: TestShop):
    shop.settings = Settings(front_end=FrontEnd(window=timedelta(minutes=30)))
    shop.take(HEAD + ROWS[0].replace("ch1", "") + ROWS[1])
    assert shop.rows("transactions", "number") == [1, 2]
