"""Refunds that come by themselves: for a line or an order, full or in part, before or after a correction."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.facts.refunded import Back, Sold, refunded_since

from .conftest import TestShop, micros
from .test_changes import queued

HEAD = "refund_id,order_id,line_id,sku,at,amount\n"
ORDERS = "order_id,email,at,sku,amount\n"
AT = "2026-01-01T00:00Z"
ORDER = f"1,ann@example.com,{AT},guide,7\n1,ann@example.com,{AT},mug,15\n"


def day(number: int) -> str:
    return f"2026-01-{number:02}T00:00Z"


def refund(number: int, amount: str, *, line: str = "", sku: str = "", on: int = 5, order: str = "1") -> str:
    return f"{number},{order},{line},{sku},{day(on)},{amount}\n"


def since(shop: TestShop) -> list[int | None]:
    """The day since when each line, guide and mug, and the order have been refunded."""
    lines = [at for _, at in shop.rows("order_lines", "sku", "refunded_at")]
    return [
        at and int((at - micros(AT)) / 86_400e6) + 1 for at in [*lines, *shop.rows("orders", "refunded_at")]
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([refund(1, "7", sku="guide")], [5, None, None]),
        ([refund(1, "7", line="guide#1")], [5, None, None]),
        ([refund(1, "3", sku="guide")], [None, None, None]),
        ([refund(1, "3", sku="guide"), refund(2, "4", sku="guide", on=8)], [8, None, None]),
        ([refund(1, "7", sku="guide"), refund(2, "15", sku="mug", on=9)], [5, 9, 9]),
        ([refund(1, "22")], [5, 5, 5]),
        ([refund(1, "7", sku="guide"), refund(2, "15", on=9)], [5, 9, 9]),
        ([refund(1, "21")], [None, None, None]),
    ],
)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_what_is_refunded_since_when(shop, rows, expected, one_by_one):
    for order in permutations(rows):
        shop.empty()
        shop.take(ORDERS + ORDER)
        for part in [[each] for each in order] if one_by_one else [order]:
            assert shop.take(HEAD + "".join(part)).inserted == len(part)
        assert since(shop) == expected
        before = shop.everything()
        assert shop.take(HEAD + "".join(rows)).unchanged == len(rows)
        assert shop.everything() == before


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([refund(1, "15"), refund(2, "15")], {1: 1_500, 2: 0}),
        ([refund(1, "15", on=6), refund(2, "15")], {1: 0, 2: 1_500}),  # the earlier one
        ([refund(1, "5", sku="guide", on=8), refund(2, "5", sku="guide", on=6)], {1: 0, 2: 500}),
        ([refund(1, "7", sku="guide", on=9), refund(2, "20")], {1: 0, 2: 2_000}),
        ([refund(1, "15"), refund(2, "15", on=6), refund(3, "7", on=7)], {1: 1_500, 2: 0, 3: 700}),
        ([refund(1, "12", on=6), refund(2, "11", on=7), refund(3, "11")], {1: 0, 2: 1_100, 3: 1_100}),
    ],
)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_together_refunds_are_never_more_than_was_paid(shop, rows, count, one_by_one):
    """What is too much beside those before it is rejected, as it would be alone; in any order."""
    for order in permutations(rows):
        shop.empty()
        shop.take(ORDERS + ORDER)
        for part in [[each] for each in order] if one_by_one else [order]:
            shop.take(HEAD + "".join(part))
        assert shop.rows("refunds", "refund_ref", "amount") == [
            (f"refund:1/{number}", amount) for number, amount in count.items()
        ]
        before = shop.everything()
        again = shop.take(HEAD + "".join(rows))
        assert (again.unchanged, again.rejected) == (len(rows) - 1, 1)
        assert again.reasons[0][0].startswith("amount is more than was paid, with what went back before it")
        assert shop.everything() == before


def test_what_was_too_much_counts_once_there_is_room_and_what_has_none_any_more_is_told(shop):
    def counts():
        return {ref[-1]: amount for ref, amount in shop.rows("refunds", "refund_ref", "amount")}

    shop.take(ORDERS + ORDER)
    shop.take(HEAD + refund(2, "15") + refund(3, "15", on=6))
    assert shop.take(HEAD + refund(2, "7")).updated == 1
    assert counts() == {"2": 700, "3": 1_500}
    before = shop.take(HEAD + refund(4, "1", on=3))
    assert (before.inserted, counts()) == (1, {"2": 700, "3": 0, "4": 100})
    note = "refunds that count for nothing any more: 1, such as refund:1/3"
    assert note in str(before.notes)
    shop.take(ORDERS + ORDER.replace("mug,15", "mug,16"))
    assert counts() == {"2": 700, "3": 1_500, "4": 100}
    head = "order_id,email,at,sku,amount,refunded_at\n"
    with_one = f"1,ann@example.com,{AT},guide,7,{day(9)}\n1,ann@example.com,{AT},mug,16,\n"
    assert note in str(shop.take(head + with_one).notes)
    assert counts() == {"1": 700, "2": 700, "3": 0, "4": 100}, "what came with the order stands"


def test_an_order_that_comes_again_keeps_its_refunds(shop):
    shop.take(ORDERS + ORDER)
    shop.take(HEAD + refund(1, "7", sku="guide"))
    assert shop.take(ORDERS + ORDER.replace("mug,15", "mug,20")).updated == 2
    assert shop.rows("refunds", "refund_ref", "line_ref", "amount") == [("refund:1/1", "guide#1", 700)]
    assert since(shop) == [5, None, None]
    shop.take(ORDERS + ORDER.replace("ann@", "bob@"))
    assert since(shop) == [5, None, None]
    assert shop.rows("refunds", "customer_id") == [shop.rows("orders", "customer_id")[0]]


def test_refunds_with_the_order_and_beside_it_add_up(shop):
    head = "order_id,email,at,sku,amount,refunded_at,refund_amount\n"
    shop.take(head + f"1,ann@example.com,{AT},guide,7,{day(3)},3\n1,ann@example.com,{AT},mug,15,,\n")
    shop.take(HEAD + refund(1, "4", sku="guide"))
    assert since(shop) == [5, None, None]


def test_a_refund_that_was_corrected(shop):
    shop.take(ORDERS + ORDER)
    shop.take(HEAD + refund(1, "22"))
    assert shop.take(HEAD + refund(1, "20")).updated == 1
    assert since(shop) == [None, None, None]


def test_a_refund_in_the_currency_of_its_order(shop):
    shop.take("currency,day,rate\nEUR,2026-01-01,1.0853\n")
    head = "order_id,email,at,sku,amount,currency\n"
    shop.take(head + f"1,ann@example.com,{AT},guide,7.77,EUR\n1,ann@example.com,{AT},mug,15.55,EUR\n")
    shop.take(HEAD + refund(1, "7.77", sku="guide") + refund(2, "15.55", sku="mug"))
    assert since(shop) == [5, 5, 5]
    assert sum(shop.rows("refunds", "amount")) == shop.rows("orders", "amount")[0]


@pytest.mark.parametrize(
    ("rows", "back"),
    [
        ([refund(1, "rest")], [2_200]),
        ([refund(1, "rest"), refund(2, "3", sku="guide")], [1_900, 300]),
        ([refund(1, "rest", sku="guide"), refund(2, "3", sku="guide")], [400, 300]),
        ([refund(1, "Rest", sku="guide"), refund(2, "20")], [200, 2_000]),
        ([refund(1, "rest", on=6), refund(2, "rest")], [2_200]),
        ([refund(1, "rest"), refund(2, "22")], [2_200]),
        ([refund(1, "rest"), refund(2, "15"), refund(3, "15", on=6)], [700, 1_500, 0]),
    ],
)
def test_the_rest_is_what_did_not_go_back_otherwise(shop, rows, back):
    shop.take(ORDERS + ORDER)
    for order in permutations(rows):
        shop.take(HEAD + "".join(order))
        assert sorted(shop.rows("refunds", "amount")) == sorted(back)
    again = shop.take(HEAD + "".join(rows))
    assert again.unchanged + again.rejected == len(rows)


@pytest.mark.parametrize(("rows", "back"), [
    ([refund(1, "none")], []),
    ([refund(1, "none"), refund(2, "22")], [2_200]),
    ([refund(1, "none"), refund(2, "rest")], [2_200]),
    ([refund(2, "None"), refund(3, "none", order="9")], [700]),
])  # fmt: skip
def test_what_turned_out_to_be_no_refund_is_let_go(shop, rows, back):
    shop.take(ORDERS + ORDER)
    shop.take(HEAD + refund(1, "7", sku="guide"))
    for _ in range(2):
        assert shop.take(HEAD + "".join(rows)).rejected == 0
        assert shop.rows("refunds", "amount") == back
    assert since(shop)[0] == (5 if back else None)


RATES = "currency,day,rate\nEUR,2026-01-01,1.25\nGBP,2026-01-01,2\n"
IN = HEAD[:-1] + ",currency\n"


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("10,EUR", [(1_250, 1_000)]),
        ("10,", [(1_250, 1_000)]),
        ("10,usd", [(1_000, 800)]),
        ("10,GBP", [(2_000, 1_600)]),
        ("10,JPY", []),
        ("12.51,GBP", []),
        ("10,EURO", []),
    ],
)
def test_money_that_went_back_in_another_currency_is_never_taken_at_face_value(shop, said, back):
    shop.take(RATES)
    shop.take(f"order_id,email,at,sku,amount,currency\n1,ann@example.com,{AT},guide,20,EUR\n")
    summary = shop.take(IN + refund(1, said))
    assert shop.rows("refunds", "amount", "charged") == back
    reasons = {
        "10,JPY": "has no exchange rate",
        "12.51,GBP": "amount is more than was paid",
        "10,EURO": "currency is not a currency",
    }
    assert not summary.reasons or summary.reasons[0][0].startswith(reasons[said])
    assert summary.rejected == (not back)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (refund(1, "7", order="9"), "is of an order that is not known"),
        (refund(1, "7", order="2"), "is of an order that was never paid"),
        (refund(1, "7", sku="hat"), "names a line that its order does not have"),
        (refund(1, "7", line="x"), "names a line that its order does not have"),
        (refund(1, "7", sku="cup", order="3"), "may be of several lines; give line_id"),
        (refund(1, "8", sku="guide"), "amount is more than was paid"),
        (refund(1, "22.01"), "amount is more than was paid"),
        (refund(1, "0"), "amount is not above 0"),
        (refund(1, "1.001"), "amount is finer than"),
        (refund(1, "7").replace("2026", "2025"), "at is before the order's"),
        (f"1,1,,,{day(5)},7,bob@example.com\n", "names somebody else"),
    ],
)
def test_what_is_rejected(shop, row, reason):
    shop.take(ORDERS + ORDER + f"3,ann@example.com,{AT},cup,7\n3,ann@example.com,{AT},cup,7\n")
    shop.take(f"order_id,email,at,sku,amount,paid\n2,bob@example.com,{AT},mug,7,no\n")
    other = row.count(",") == 6
    head, good = (
        (HEAD, refund(2, "1"))
        if not other
        else (HEAD[:-1] + ",email\n", refund(2, "1")[:-1] + ",ann@example.com\n")
    )
    summary = shop.take(head + row + good)
    assert (summary.inserted, summary.rejected) == (1, 1)
    assert summary.reasons[0][0].startswith(reason)


def test_orders_and_refunds_in_one_import(shop):
    refunds = shop.job(HEAD + refund(1, "22"), name="a.csv")
    assert [each.rejected for each in shop.run(refunds, shop.job(ORDERS + ORDER, name="b.csv"))] == [0, 0]
    assert since(shop) == [5, 5, 5]


def test_who_is_queued(shop):
    shop.take(ORDERS + ORDER + f"2,bob@example.com,{AT},mug,7\n")
    queued(shop)
    shop.take(HEAD + refund(1, "7"))
    assert queued(shop) == ["ann@example.com"]
    shop.take(HEAD + refund(1, "7"))
    assert queued(shop) == []


LINES = st.lists(
    st.builds(Sold, st.sampled_from("abc"), st.integers(0, 9)), min_size=1, unique_by=lambda line: line.ref
)
BACKS = st.lists(st.builds(Back, st.integers(1, 9), st.sampled_from(["a", "b", "c", ""]), st.integers(0, 9)))


@given(LINES, BACKS, st.integers(0, 30), st.integers(1, 9))
def test_more_money_back_never_refunds_less(lines, backs, amount, at):
    before = refunded_since(lines, backs, amount)
    after = refunded_since(lines, [*backs, Back(at, "", 5)], amount)
    for ref, time in before.lines.items():
        assert time is None or (after.lines[ref] is not None and after.lines[ref] <= time)
    assert (before.order is None) == (None in before.lines.values())
