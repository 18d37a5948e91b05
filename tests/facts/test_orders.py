"""Orders: lines, amounts, replacement, refunds, credits, and what is refused."""

import random

import pytest

from engine.settings.model import Settings
from engine.settings.shop import Shop

from .conftest import TestShop, micros

HEAD = "order_id,email,at,sku,quantity,amount\n"
AT = "2026-01-01T00:00Z"
LATER = "2026-01-09T00:00Z"


def lines(shop: TestShop) -> list[tuple]:
    return shop.rows("order_lines", "order_ref", "line_ref", "quantity", "amount")


def test_all_columns(shop):
    summary = shop.take(
        "order_id,email,shop_id,at,paid,sku,line_id,quantity,unit_price,amount,currency,order_total,checkout_id,"
        "position,source,medium,campaign,refunded_at,refund_amount\n"
        f"100,ann@example.com,7,{AT},yes,guide,L1,2,3.50,,usd,110.00,ch1,core,google,cpc,spring,,\n"
        f"100,,,{AT},,course,L2,1,97,90,,,,upsell,,,,{LATER},20\n"
    )
    assert (summary.kind, summary.inserted) == ("orders", 2)
    whole = (
        "order_ref",
        "at",
        "paid",
        "amount",
        "charged",
        "currency",
        "checkout_id",
        "source",
        "medium",
        "campaign",
    )
    assert shop.rows("orders", *whole) == [
        ("100", micros(AT), True, 11000, 11000, "USD", "ch1", "google", "cpc", "spring")
    ]
    assert shop.rows(
        "order_lines", "line_ref", "sku", "quantity", "amount", "position", "side", "refunded_at"
    ) == [
        ("L1", "guide", 2, 700, "core", "front", None),
        ("L2", "course", 1, 9000, "upsell", "front", None),
    ]
    assert shop.rows("refunds", "refund_ref", "order_ref", "line_ref", "sku", "at", "amount") == [
        ("100/L2", "100", "L2", "course", micros(LATER), 2000)
    ]
    assert shop.rows("customers", "email", "shop_id", "known_at") == [("ann@example.com", "7", micros(AT))]


def test_two_equal_lines_are_two_sales(shop):
    shop.take(HEAD + f"100,ann@example.com,{AT},guide,1,7\n" * 3)
    assert lines(shop) == [("100", f"guide#{n}", 1, 700) for n in (1, 2, 3)]
    assert shop.rows("orders", "amount") == [2100]


def test_rows_of_an_order_may_stand_anywhere_and_in_any_order(shop):
    rows = [
        f"{ref},p{ref}@example.com,{AT},{sku},{n},{n}.50\n"
        for ref in (1, 2, 3)
        for sku in ("a", "b")
        for n in (1, 2)
    ]
    shop.take(HEAD + "".join(rows))
    expected = shop.meaning()
    for seed in range(3):
        shop.empty()
        random.Random(seed).shuffle(rows)
        shop.take(HEAD + "".join(rows))
        assert shop.meaning() == expected


def test_rows_of_an_order_may_name_their_customer_in_different_ways_or_not_at_all(shop):
    head = "order_id,email,shop_id,at,sku,amount\n"
    people = ["zoe@example.com,7", ",7", ",", "zoe@example.com,"]
    rows = [f"1,{who},{AT},s{n},7\n" for n, who in enumerate(people)]
    others = [f"{n},{who}@example.com,{n},{AT},a,7\n" for n, who in enumerate(("amy", "pam", "zz"), 2)]
    summary = shop.take(head + rows[0] + others[0] + rows[1] + others[1] + rows[2] + others[2] + rows[3])
    assert (summary.inserted, summary.rejected) == (7, 0)
    assert len(lines(shop)) == 7
    assert len(shop.rows("customers", "customer_id")) == 4


def test_an_order_is_as_old_as_its_oldest_row(shop):
    shop.take(HEAD + f"100,ann@example.com,{LATER},guide,1,7\n100,ann@example.com,{AT},mug,1,15\n")
    assert shop.rows("orders", "at") == [micros(AT)]
    assert set(shop.rows("order_lines", "at")) == {micros(AT)}


def test_a_later_import_takes_the_place_of_an_order(shop):
    shop.take(
        HEAD
        + f"100,ann@example.com,{AT},guide,1,7\n100,ann@example.com,{AT},mug,1,15\n101,ann@example.com,{AT},mug,1,15\n"
    )
    summary = shop.take(HEAD + f"100,ann@example.com,{AT},guide,2,14\n101,ann@example.com,{AT},mug,1,15\n")
    assert (summary.updated, summary.unchanged) == (1, 1)
    assert lines(shop) == [("100", "guide#1", 2, 1400), ("101", "mug#1", 1, 1500)]
    assert shop.rows("orders", "order_ref", "amount") == [("100", 1400), ("101", 1500)]


def test_an_unpaid_order_has_no_lines_until_it_is_paid(shop):
    head = "order_id,email,at,paid,sku,amount\n"
    shop.take(head + f"100,ann@example.com,{AT},no,guide,7\n")
    assert shop.rows("orders", "paid", "amount") == [(False, 700)]
    assert lines(shop) == []
    assert shop.rows("transactions", "number") == []
    assert shop.take(head + f"100,ann@example.com,{AT},yes,guide,7\n").updated == 1
    assert lines(shop) == [("100", "guide#1", 1, 700)]
    assert shop.rows("transactions", "number") == [1]
    shop.take(head + f"100,ann@example.com,{AT},no,guide,7\n")
    assert lines(shop) == []
    assert shop.rows("transactions", "number") == []


@pytest.mark.parametrize(
    ("rows", "order_at", "line_times", "refunds"),
    [
        ([("7", LATER, "")], LATER, [LATER], [(LATER, 700)]),
        ([("7", LATER, "7")], LATER, [LATER], [(LATER, 700)]),
        ([("7", LATER, "3")], None, [None], [(LATER, 300)]),
        ([("7", "", "0")], None, [None], []),
        ([("7", LATER, ""), ("15", "", "")], None, [LATER, None], [(LATER, 700)]),
        ([("7", AT, ""), ("15", LATER, "15")], LATER, [AT, LATER], [(AT, 700), (LATER, 1500)]),
        ([("0", LATER, "")], LATER, [LATER], [(LATER, 0)]),
    ],
)
def test_refunds(shop, rows, order_at, line_times, refunds):
    text = "".join(f"100,ann@example.com,{AT},p{n},{a},{at},{r}\n" for n, (a, at, r) in enumerate(rows))
    shop.take("order_id,email,at,sku,amount,refunded_at,refund_amount\n" + text)
    times = {None: None, LATER: micros(LATER), AT: micros(AT)}
    assert shop.rows("orders", "refunded_at") == [times[order_at]]
    assert [at for _, at in shop.rows("order_lines", "sku", "refunded_at")] == [
        times[at] for at in line_times
    ]
    assert sorted(shop.rows("refunds", "at", "amount")) == sorted(
        (times[at], amount) for at, amount in refunds
    )


CREDITS = "kind: orders\ncredits: {when: {order_id: {starts_with: C}}}\n"


def test_a_credit_names_no_order(shop):
    head = "order_id,email,at,sku,quantity,unit_price\n"
    sale = f"100,ann@example.com,{AT},guide,2,7\n"
    credit = f"C1,ann@example.com,{LATER},guide,-1,7\nC1,ann@example.com,{LATER},mug,-1,15\n"
    summary = shop.take(head + sale + credit, mapping=CREDITS)
    assert (summary.inserted, summary.rejected) == (3, 0)
    assert shop.rows("orders", "order_ref", "amount", "refunded_at") == [("100", 1400, None)]
    names = ("refund_ref", "order_ref", "line_ref", "sku", "at", "amount")
    assert shop.rows("refunds", *names) == [
        ("credit:C1/guide#1", "", "guide#1", "guide", micros(LATER), 700),
        ("credit:C1/mug#1", "", "mug#1", "mug", micros(LATER), 1500),
    ]
    before = shop.everything()
    assert shop.take(head + sale + credit, mapping=CREDITS).unchanged == 3
    assert shop.everything() == before


def test_a_credit_note_is_replaced_whole(shop):
    head = "order_id,email,at,sku,quantity,unit_price\n"
    shop.take(
        head
        + f"C1,ann@example.com,{AT},guide,-1,7\nC1,ann@example.com,{AT},mug,-1,15\nC1/mug,ann@example.com,{AT},mug,-1,1\n",
        mapping=CREDITS,
    )
    summary = shop.take(head + f"C1,ann@example.com,{AT},guide,-1,8\n", mapping=CREDITS)
    assert summary.updated == 1
    assert shop.rows("refunds", "refund_ref", "amount") == [
        ("credit:C1/guide#1", 800),
        ("credit:C1/mug/mug#1", 100),
    ]


def test_a_credit_within_an_order_leaves_its_lines_alone(shop):
    mapping = "kind: orders\ncredits: {when: {quantity: negative}}\n"
    text = (
        "order_id,email,at,sku,quantity,unit_price\n"
        f"100,ann@example.com,{AT},guide,2,7\n100,ann@example.com,{LATER},guide,-1,7\n"
    )
    assert shop.take(text, mapping=mapping).inserted == 2
    assert lines(shop) == [("100", "guide#1", 2, 1400)]
    assert shop.rows("orders", "at", "amount") == [(micros(AT), 1400)]
    assert shop.rows("refunds", "order_ref", "amount") == [("", 700)]
    before = shop.everything()
    assert shop.take(text, mapping=mapping).unchanged == 2
    assert shop.everything() == before


@pytest.mark.parametrize(
    ("columns", "row", "reason"),
    [
        ("order_id,email,at,sku,amount", f",ann@example.com,{AT},guide,7", "order_id is blank"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},,7", "sku is blank"),
        ("order_id,email,at,sku,amount", "100,ann@example.com,2026-01-01,guide,7", "at has no time zone"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},guide,", "names neither amount nor unit_price"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},guide,-7", "amount is negative; if such rows are credits"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},guide,7.001", "amount is finer than"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},guide,99999999999", "amount is larger than"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},guide,inf", "amount is not an amount"),
        ("order_id,email,at,sku,quantity,amount", f"100,ann@example.com,{AT},guide,0,7", "quantity is not between"),
        ("order_id,email,at,sku,quantity,amount", f"100,ann@example.com,{AT},guide,-2,7", "quantity is negative"),
        ("order_id,email,at,sku,quantity,unit_price", f"100,ann@example.com,{AT},guide,1,0.001", "quantity times unit_price is finer"),
        ("order_id,email,at,sku,amount,currency", f"100,ann@example.com,{AT},guide,7,EUR", "has no exchange rate of its day or the 7 days before"),
        ("order_id,email,at,sku,amount,order_total", f"100,ann@example.com,{AT},guide,7,-7", "order_total is negative"),
        ("order_id,email,at,sku,amount,position", f"100,ann@example.com,{AT},guide,7,side", "position is none of core"),
        ("order_id,email,at,sku,amount,refund_amount", f"100,ann@example.com,{AT},guide,7,7", "refund_amount has no refunded_at"),
        ("order_id,email,at,sku,amount,refunded_at,refund_amount", f"100,ann@example.com,{AT},guide,7,{LATER},8", "refund_amount is negative, or more"),
        ("order_id,email,at,sku,amount,refunded_at,refund_amount", f"100,ann@example.com,{AT},guide,7,{LATER},0", "refunded_at stands beside a refund_amount of 0"),
        ("order_id,email,at,sku,amount,refunded_at", f"100,ann@example.com,{AT},guide,7,2025-12-31T00:00Z", "refunded_at is before at"),
        ("order_id,email,at,sku,amount,paid,refunded_at", f"100,ann@example.com,{AT},guide,7,no,{LATER}", "refunded_at stands in an order that was never paid"),
        ("order_id,email,at,sku,amount", f"100,,{AT},guide,7", "names no customer"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},{'s' * 81},7", "sku is longer than 80"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},guide", "has fewer fields than the header"),
        ("order_id,email,at,sku,amount", f"100,ann@example.com,{AT},guide,7,8", "has more fields than the header"),
    ],
)  # fmt: skip
def test_rejected(shop, columns, row, reason):
    width = columns.count(",") - 4
    good = [f"9{n},bob@example.com,{AT},mug,1{',' * width}" for n in (1, 2)]
    if "quantity" in columns:
        good = [f"9{n},bob@example.com,{AT},mug,1,1" for n in (1, 2)]
    summary = shop.take(f"{columns}\n{good[0]}\n{row}\n{good[1]}\n")
    assert (summary.inserted, summary.rejected) == (2, 1)
    assert summary.reasons[0][0].startswith(reason)
    assert shop.rows("orders", "order_ref") == ["91", "92"]
    assert shop.rejects().splitlines()[1].startswith("3,")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (f"100,bob@example.com,{AT},,mug,,7,", "email is another than on an earlier row of the same order"),
        (f"100,,{AT},ch2,mug,,7,", "checkout_id is another"),
        (f"100,,{AT},,mug,,7,9", "order_total is another"),
        (f"100,,{AT},,mug,L1,7,", "line_id stands twice in the order"),
    ],
)
def test_a_row_that_gainsays_its_order_is_rejected_alone(shop, second, reason):
    head = "order_id,email,at,checkout_id,sku,line_id,amount,order_total\n"
    first, third = f"100,ann@example.com,{AT},ch1,guide,L1,7,20\n", f"100,,{AT},,mug,L3,7,\n"
    summary = shop.take(
        head
        + first
        + second.replace("100,,", "100,ann@example.com,")
        + "\n"
        + third.replace("100,,", "100,ann@example.com,")
    )
    assert (summary.inserted, summary.rejected) == (2, 1)
    assert summary.reasons[0][0].startswith(reason)
    assert [ref for _, ref, *_ in lines(shop)] == ["L1", "L3"]


def test_an_order_of_two_known_people_lands_nowhere(shop):
    shop.take("email,shop_id\nann@example.com,\nbob@example.com,7\n")
    summary = shop.take(
        f"order_id,email,shop_id,at,sku,amount\n100,ann@example.com,7,{AT},a,1\n100,ann@example.com,7,{AT},b,1\n101,ann@example.com,,{AT},b,1\n"
    )
    assert (summary.inserted, summary.rejected) == (1, 2)
    assert summary.reasons == (("email and shop_id belong to two different customers", 2),)


def test_a_source_id_that_looks_like_ours_takes_no_place(shop):
    shop.take(
        f"order_id,email,at,sku,line_id,amount\n100,ann@example.com,{AT},a,a#1,1\n100,ann@example.com,{AT},a,,2\n"
    )
    assert lines(shop) == [("100", "a#1", 1, 100), ("100", "a#2", 1, 200)]


def test_a_future_order_lands(shop):
    assert shop.take(HEAD + "100,ann@example.com,2199-01-01T00:00Z,guide,1,7\n").inserted == 1


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("JPY", "500", 500), ("KWD", "1.234", 1234), ("EUR", "7", 700)]
)
def test_minor_units_are_those_of_the_shops_currency(shop, currency, amount, minor):
    shop.settings = Settings(shop=Shop(currency=currency))
    shop.take(HEAD + f"100,ann@example.com,{AT},guide,1,{amount}\n")
    assert shop.rows("orders", "amount", "currency") == [(minor, currency)]


def test_an_order_of_too_many_rows_is_rejected_whole(shop, monkeypatch):
    monkeypatch.setattr("engine.facts.staging.MOST_BUNDLED", 10)
    text = HEAD + f"100,ann@example.com,{AT},guide,1,7\n" * 11 + f"101,ann@example.com,{AT},guide,1,7\n" * 10
    summary = shop.take(text)
    assert (summary.inserted, summary.rejected) == (10, 11)
    assert shop.rows("orders", "order_ref") == ["101"]
