"""Transactions: which orders belong to one checkout, whatever the order in which they are imported."""

import random
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise, permutations
from operator import itemgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.facts.transactions import Ending, PaidOrder, transactions_of
from engine.settings.model import Settings
from engine.settings.policies import FrontEnd

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


C, R = "completed", "released"


@pytest.mark.parametrize(
    ("orders", "endings", "expected"),
    [
        ([], [(5, C, "")], []),
        # by the checkout it names, or by the time
        ([(0, "a", "x")], [(20, C, "x")], [(0, "a", 20, C)]),
        ([(0, "a", "x")], [(20, R, "x")], [(0, "a", 20, R)]),
        ([(0, "a", "x")], [(20, C, "")], [(0, "a", 20, C)]),
        ([(0, "a", "x")], [(20, C, "y")], [(0, "a", 60, "window")]),  # of another checkout
        ([(0, "a", "")], [(20, C, "y")], [(0, "a", 60, "window")]),
        ([(0, "a", "x")], [(61, C, "x")], [(0, "a", 60, "window")]),  # too late to matter
        ([(0, "a", "x")], [(30, R, "x"), (20, C, ""), (40, C, "x")], [(0, "a", 20, C)]),  # the earliest
        ([(0, "a", "x")], [(20, R, "x"), (20, C, "x")], [(0, "a", 20, C)]),
        # dated before its order, it closes at the order
        ([(10, "a", "x")], [(5, C, "x")], [(10, "a", 10, C)]),
        ([(500, "a", "x")], [(5, R, "x")], [(500, "a", 500, R)]),
        ([(10, "a", "")], [(5, C, "")], [(10, "a", 10, C)]),
        ([(100, "a", "")], [(5, C, "")], [(100, "a", 160, "window")]),  # of something long ago
        ([(10, "a", "")], [(5, R, "")], [(10, "a", 70, "window")]),  # what was bought before
        ([(0, "a", ""), (61, "b", "")], [(40, C, "")], [(0, "a", 40, C), (61, "b", 121, "window")]),
        ([(0, "a", ""), (30, "b", "y")], [(5, C, "y")], [(0, "ab", 30, C)]),
        # once it is closed, an order opens another, unless it is of the same checkout
        ([(0, "a", "x"), (30, "b", "")], [(20, C, "x")], [(0, "a", 20, C), (30, "b", 90, "window")]),
        ([(0, "a", "x"), (20, "b", "")], [(20, C, "x")], [(0, "ab", 20, C)]),  # at its very end: inside
        ([(0, "a", "x"), (30, "b", "x")], [(20, C, "x")], [(0, "ab", 20, C)]),  # a later addition
        ([(0, "a", ""), (30, "b", "")], [(20, C, ""), (40, C, "")], [(0, "a", 20, C), (30, "b", 40, C)]),
    ],
)
def test_what_closes_a_transaction(orders, endings, expected):
    told = [Ending(at * MINUTE, what, checkout) for at, what, checkout in endings]
    placed = [PaidOrder(at * MINUTE, ref, checkout) for at, ref, checkout in orders]
    for told_so in permutations(told):
        for order in permutations(placed):
            found = transactions_of(order, WINDOW, told_so)
            closes = [
                (each.opened_at // MINUTE, "".join(each.refs), each.closes_at // MINUTE, each.closes[1])
                for each in found
            ]
            assert closes == expected


ORDERS = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from("abcdefgh"), st.sampled_from(["", "", "x", "y"])),
    max_size=8,
    unique_by=lambda order: order[1],
)


ENDINGS = st.lists(
    st.tuples(st.integers(-60, 400), st.sampled_from([C, R]), st.sampled_from(["", "x", "y"])),
    max_size=5,
    unique_by=lambda ending: ending[:2],
)


@given(ORDERS, ENDINGS)
def test_what_holds_of_all_transactions(orders, endings):
    found = transactions_of(
        [PaidOrder(at * MINUTE, ref, checkout) for at, ref, checkout in orders],
        WINDOW,
        [Ending(at * MINUTE, what, checkout) for at, what, checkout in endings],
    )
    at = {ref: when * MINUTE for when, ref, _ in orders}
    assert sorted(ref for each in found for ref in each.refs) == sorted(at)
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert all(later.opened_at > earlier.closes_at for earlier, later in pairwise(found))
    checkouts = {ref: checkout for _, ref, checkout in orders if checkout}
    for each in found:
        assert each.opened_at == min(at[ref] for ref in each.refs) == at[each.first_ref]
        assert each.opened_at <= each.closes_at <= each.opened_at + WINDOW
        assert each.closes[1] != "window" or each.closes_at == each.opened_at + WINDOW
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


FUNNEL = "email,what,at,checkout_id\n"
TOLD = [
    "ann@example.com,completed,2026-01-01T00:20Z,ch1\n",
    "ann@example.com,released,2026-01-05T00:10Z,\n",
    "bob@example.com,completed,2026-01-01T23:50Z,\n",
]
CLOSED = [("1", 20, C), ("2", 60, "window"), ("3", 10, R), ("5", 0, C)]


def closed(shop):
    """Each transaction's first order, after how many minutes it closed, and by what."""
    rows = shop.rows("transactions", "first_order_ref", "opened_at", "closes_at", "closed_by")
    return [(ref, (end - start) // MINUTE, by) for ref, start, end, by in rows]


def test_what_the_funnel_tells_closes_transactions_whenever_it_comes(shop):
    shop.take(FUNNEL + TOLD[2], "funnel")  # before the order it is of
    shop.take(HEAD + "".join(ROWS))
    assert closed(shop) == [("1", 60, "window"), ("3", 60, "window"), ("5", 0, C)]
    shop.take(FUNNEL + "".join(TOLD), "funnel")
    assert closed(shop) == CLOSED
    assert shop.rows("order_lines", "order_ref", "side") == [
        ("1", "front"), ("2", "back"), ("3", "back"), ("4", "front"), ("5", "front")
    ]  # fmt: skip


def test_what_is_told_twice_changes_nothing(shop):
    shop.take(HEAD + "".join(ROWS))
    shop.take(FUNNEL + "".join(TOLD), "funnel")
    before = shop.everything()
    assert shop.take(FUNNEL + "".join(TOLD), "funnel").unchanged == 3
    assert shop.everything() == before


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_of_orders_and_funnel_gives_the_same_transactions(shop, data):
    """Whatever comes late, in whatever parts."""
    shop.empty()
    orders = data.draw(ORDERS.filter(bool), label="orders")
    endings = data.draw(ENDINGS, label="endings")
    rows = [f"{ref},ann@example.com,{_at(at)},guide,7,{checkout}\n" for at, ref, checkout in orders]
    told = [f"ann@example.com,{what},{_at(at)},{checkout}\n" for at, what, checkout in endings]
    both = [*(("orders", HEAD, row) for row in rows), *(("funnel", FUNNEL, row) for row in told)]
    for kind, head, row in [("orders", HEAD, "".join(rows)), ("funnel", FUNNEL, "".join(told))]:
        shop.take(head + row, kind)
    in_order = shop.meaning()
    shop.empty()
    for batch in _in_parts(data.draw, data.draw(st.permutations(both), label="as they come")):
        shop.take(batch[0][1] + "".join(row for *_, row in batch), batch[0][0])
    assert shop.meaning() == in_order


def _in_parts(draw, rows):
    """Files of one kind each, in that order."""
    for _, of_a_kind in groupby(rows, itemgetter(0)):
        left = list(of_a_kind)
        while left:
            part = draw(st.integers(1, len(left)))
            yield left[:part]
            left = left[part:]


def _at(minute):
    return f"{datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute):%Y-%m-%dT%H:%MZ}"
