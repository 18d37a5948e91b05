"""Orders in another currency: changed at the rate of their day, or rejected whole."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from engine.store.tables import refunds

from .conftest import TestShop

RATES = "currency,day,rate\n"
HEAD = "order_id,email,at,sku,amount,currency\n"


def order(at: str, amount: str = "10.00", currency: str = "EUR") -> str:
    return HEAD + f"1,ann@example.com,{at},guide,{amount},{currency}\n"


def amounts(shop: TestShop) -> tuple[int, int, str]:
    [found] = shop.rows("orders", "amount", "charged", "currency")
    return found


def test_rates_land_once_and_are_replaced(shop):
    summary = shop.take(RATES + "eur,2026-01-05,1.0850\nJPY,2026-01-05,0.0064\n")
    assert (summary.kind, summary.inserted) == ("rates", 2)
    assert shop.rows("rates", "currency", "rate") == [("EUR", "1.085"), ("JPY", "0.0064")]
    assert shop.take(RATES + "EUR,2026-01-05,1.085\n").unchanged == 1
    assert shop.take(RATES + "EUR,2026-01-05,1.09\nEUR,2026-01-05,1.10\n").updated == 2
    assert shop.rows("rates", "currency", "rate") == [("EUR", "1.1"), ("JPY", "0.0064")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("USD,2026-01-05,1", "currency is the shop's own"),
        ("EURO,2026-01-05,1", "currency is not a currency"),
        ("EUR,2026-02-30,1", "day is not a day that exists"),
        ("EUR,2026-01-05,0", "rate is not above 0"),
        ("EUR,2026-01-05,-1", "rate is not above 0"),
        ("EUR,2026-01-05,1000000000", "rate is not above 0 and below"),
        ("EUR,2026-01-05,1.1234567890123", "rate has more digits"),
    ],
)
def test_what_is_no_rate(shop, row, reason):
    summary = shop.take(RATES + f"GBP,2026-01-05,1.2\n{row}\n")
    assert (summary.inserted, summary.rejected) == (1, 1)
    assert summary.reasons[0][0].startswith(reason)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-05T12:00Z", 1100),  # of the day
        ("2026-01-06T23:59Z", 1100),  # the latest before
        ("2026-01-07T00:00Z", 1200),
        ("2026-01-14T23:59Z", 1200),  # seven days old
        ("2026-01-15T00:00Z", None),  # eight
        ("2026-01-04T23:59Z", None),  # before all
    ],
)
def test_the_latest_rate_at_most_seven_days_old(shop, at, expected):
    shop.take(RATES + "EUR,2026-01-05,1.1\nEUR,2026-01-07,1.2\n")
    summary = shop.take(order(at))
    if expected is None:
        assert (summary.inserted, summary.rejected) == (0, 1)
        assert summary.reasons[0][0].startswith("has no exchange rate of its day or the 7 days before")
        assert shop.rows("customers", "email") == []
    else:
        assert amounts(shop) == (expected, 1000, "EUR")
        assert shop.rows("order_lines", "amount") == [expected]


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "expected"),
    [
        ("0.01", "EUR", "0.5", 0),  # half to even
        ("0.03", "EUR", "0.5", 2),
        ("0.05", "EUR", "0.5", 2),
        ("500", "JPY", "0.0064", 320),  # a currency without cents
        ("1.234", "KWD", "3.25", 401),  # one with a thousand parts
    ],
)
def test_amounts_are_rounded_to_the_smallest_unit(shop, amount, currency, rate, expected):
    shop.take(RATES + f"{currency},2026-01-05,{rate}\n")
    shop.take(order("2026-01-05T12:00Z", amount, currency))
    assert amounts(shop)[0] == expected


def test_an_order_with_refunds_and_credits(shop):
    shop.take(RATES + "EUR,2026-01-05,1.1\nEUR,2026-01-20,2\n")
    text = (
        "order_id,email,at,sku,quantity,amount,currency,order_total,refunded_at,refund_amount\n"
        "1,ann@example.com,2026-01-05T12:00Z,a,1,3.33,EUR,12.00,2026-01-20T00:00Z,\n"
        "1,ann@example.com,2026-01-05T12:00Z,b,1,6.66,EUR,,2026-01-20T00:00Z,1.00\n"
        "C2,ann@example.com,2026-01-20T12:00Z,b,1,1.00,EUR,,,\n"
    )
    mapping = "kind: orders\ncredits: {when: {order_id: {starts_with: C}}}\n"
    assert shop.take(text, mapping=mapping).inserted == 3
    assert amounts(shop) == (1320, 1200, "EUR")
    assert shop.rows("order_lines", "sku", "amount") == [("a", 366), ("b", 733)]
    assert shop.rows("refunds", "refund_ref", "amount") == [
        ("1/a#1", 366),
        ("1/b#1", 110),
        ("credit:C2/b#1", 200),
    ]
    before = shop.everything()
    assert shop.take(text, mapping=mapping).unchanged == 3
    assert shop.everything() == before


def test_a_rate_that_changes_reaches_an_order_when_it_comes_again(shop):
    shop.take(RATES + "EUR,2026-01-05,1.1\n")
    shop.take(order("2026-01-05T12:00Z"))
    shop.take(RATES + "EUR,2026-01-05,1.2\n")
    assert amounts(shop)[0] == 1100
    assert shop.take(order("2026-01-05T12:00Z")).updated == 1
    assert amounts(shop)[0] == 1200


REFUNDS = "refund_id,order_id,line_id,at,amount\n"


def gone(shop: TestShop) -> bool:
    """Whether the order and its line are wholly refunded."""
    return all(
        at is not None for table in ("orders", "order_lines") for at in shop.rows(table, "refunded_at")
    )


@pytest.mark.parametrize("rate", ["1.2", "0.9", "0.011", "1.0"])
@pytest.mark.parametrize("line", ["guide#1", ""])
@pytest.mark.parametrize("parts", [["10.00"], ["4.00", "6.00"], ["3.33", "3.33", "3.34"]])
def test_refunds_keep_to_the_rate_of_their_order(shop, rate, line, parts):
    back = [f"{n},1,{line},2026-01-08T00:00Z,{part}\n" for n, part in enumerate(parts)]
    shop.take(RATES + "EUR,2026-01-05,1.1\n")
    shop.take(order("2026-01-05T12:00Z"))
    shop.take(REFUNDS + "".join(back))
    first = shop.rows("refunds", "refund_ref", "amount")
    assert gone(shop)
    for number in (rate, "1.1"):  # a slip of the pen, and its correction
        shop.take(RATES + f"EUR,2026-01-05,{number}\n")
        assert shop.take(order("2026-01-05T12:00Z")).updated == 1
        assert gone(shop)
        left = amounts(shop)[0] - sum(shop.rows("refunds", "amount"))
        assert abs(left) <= len(parts) // 2
        assert shop.take(REFUNDS + "".join(back)).unchanged == len(parts)
    assert shop.rows("refunds", "refund_ref", "amount") == first


def test_a_part_that_went_back_keeps_to_the_rate_too(shop):
    shop.take(RATES + "EUR,2026-01-05,1.1\n")
    shop.take(order("2026-01-05T12:00Z"))
    shop.take(REFUNDS + "1,1,,2026-01-08T00:00Z,3.00\n")
    shop.take(RATES + "EUR,2026-01-05,0.9\n")
    shop.take(order("2026-01-05T12:00Z").replace("ann@", "bob@"))
    assert shop.rows("refunds", "amount", "charged") == [(270, 300)]
    assert not gone(shop)


def test_a_refund_of_an_older_version_is_changed_anew(shop):
    shop.take(RATES + "EUR,2026-01-05,1.1\n")
    shop.take(order("2026-01-05T12:00Z"))
    shop.take(REFUNDS + "1,1,guide#1,2026-01-08T00:00Z,10.00\n")
    with shop.store.writing() as connection:
        connection.execute(update(refunds).values(charged=None))
    shop.take(RATES + "EUR,2026-01-05,1.2\n")
    shop.take(order("2026-01-05T12:00Z"))
    assert shop.rows("refunds", "amount", "charged") == [(1200, 1000)]
    assert gone(shop)


def test_a_refund_within_its_order_keeps_to_the_rate(shop):
    head = "order_id,email,at,sku,amount,currency,refunded_at\n"
    text = head + "1,ann@example.com,2026-01-05T12:00Z,guide,10.00,EUR,2026-01-08T00:00Z\n"
    shop.take(RATES + "EUR,2026-01-05,1.1\n")
    shop.take(text)
    for rate, expected in (("1.2", 1200), ("0.9", 900)):
        shop.take(RATES + f"EUR,2026-01-05,{rate}\n")
        shop.take(text)
        assert shop.rows("refunds", "amount") == [expected]
        assert gone(shop)


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        (["ann@example.com GBP", "ann@example.com GBP"], True),
        (["ann@example.com GBP", "ann@example.com EUR"], False),
        (["ann@example.com GBP", "ann@example.com USD"], False),  # a shop that sells in both
        (["ann@example.com GBP", "nobody GBP"], True),
    ],
)
def test_a_shop_of_another_currency_is_asked_whether_it_is_its_own(shop, rows, asked):
    texts = []
    for number, row in enumerate(rows):
        email, currency = row.split()
        texts.append(f"{number},{email},2026-01-05T12:00Z,guide,10.00,{currency}\n")
    summary = shop.take(HEAD + "".join(texts))
    note = "all its orders are in GBP, and shop.currency is USD: should shop.currency in config.yaml be GBP?"
    assert summary.notes == ((note,) if asked else ())


def test_files_may_come_in_any_order(shop):
    orders = shop.job(order("2026-01-05T12:00Z"), name="a.csv")
    summaries = shop.run(orders, shop.job(RATES + "EUR,2026-01-05,1.1\n", name="b.csv"))
    assert [summary.kind for summary in summaries] == ["rates", "orders"]
    assert amounts(shop)[0] == 1100


def test_rows_of_one_order_have_one_currency(shop):
    text = order("2026-01-05T12:00Z", currency="") + order("2026-01-05T12:00Z").removeprefix(HEAD)
    summary = shop.take(text)
    assert (summary.inserted, summary.rejected) == (1, 1)
    assert summary.reasons[0][0].startswith("currency is another than on an earlier row")


@given(st.integers(0, 10**9), st.decimals("0.000001", "1000", places=6))
def test_the_change_is_exact(amount, rate):
    from zoneinfo import ZoneInfo

    from engine.facts.columns import Money
    from engine.facts.exchange import Exchange

    exchange = Exchange(Money("USD", 2), ZoneInfo("UTC"))
    exact = Decimal(amount) * rate
    assert abs(exchange._changed(amount, "EUR", rate) - exact) <= Decimal("0.5")
