"""`report sources` on a world made by hand, its figures worked out by hand, as of the 1st of July.

| | month | spend | customers | what each paid |
|---|---|---|---|---|
| good / spring | January | 1000 | 40 | 15 at first, 30 when 45 days old; ten got 10 of the first back |
| good / spring | June | 50 EUR at 1.1 = 55 | 2 | 15 at first |
| good, no campaign | January | | 5 | 10 |
| bad | February | 2000 | 40 | 10, later ordered as `newsletter` |
| empty | January | 1000 | none | |
| small | January | 20 | 1 | 10 |
| late | June | 100 | 1 | 10 |
| not known | January | | 3 | 10 |

Customers of May are 30 days old on the 1st of July, those of April 61, those of March 91, and those of no
month 365: of six months five count at 30 days, four at 60, three at 90, none at 365.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from math import isclose, sqrt

import pytest

from engine.facts.catalogue import Catalogue, Product
from engine.reports.cohorts import By
from engine.reports.periods import Asked
from engine.reports.sources import Line, SourcesReport, Verdict, sources_report
from engine.settings.model import Settings
from tests.facts.conftest import TestShop

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ORDERS = "order_id,email,at,sku,amount,currency,checkout_id,position,source,campaign,refunded_at\n"
SPEND = "day,source,campaign,ad,amount,currency\n"
CATALOGUE = Catalogue(
    [Product(sku="guide", name="Guide", unit_cost=Decimal(4)), Product(sku="cards", name="C")]
)


def orders() -> Iterator[str]:
    def first(name: str, number: int, day: str, traffic: str, back: str = "") -> Iterator[str]:
        for n in range(number):
            refund = back if n < 10 else ""
            yield f"{name}{n},{name}{n}@example.com,{day}T10:00Z,guide,10,USD,{name}{n},core,{traffic},{refund}\n"

    yield from first("g", 40, "2026-01-10", "good,spring", "2026-01-30T10:00Z")
    yield from first("j", 2, "2026-06-10", "good,spring")
    for name, number, day in (("g", 40, "2026-01-10"), ("j", 2, "2026-06-10")):
        for n in range(number):  # an upsell of the same checkout
            yield f"{name}{n}u,{name}{n}@example.com,{day}T10:02Z,cards,5,USD,{name}{n},upsell,good,spring,\n"
    for n in range(40):  # 45 days after the 10th of January
        yield f"g{n}b,g{n}@example.com,2026-02-24T10:00Z,cards,30,USD,,core,newsletter,letter,\n"
    yield from first("o", 5, "2026-01-10", "good,")
    yield from first("b", 40, "2026-02-10", "newsletter,letter")
    yield from first("s", 1, "2026-01-10", "small,")
    yield from first("l", 1, "2026-06-10", "late,")
    yield from first("n", 3, "2026-01-10", ",")
    yield "u1,u@example.com,2026-01-10T10:00Z,guide,10,USD,,core,good,spring,\n".replace(
        "u1,", "free,"
    ).replace(",10,", ",0,")


@pytest.fixture(scope="module")
def made(empty_shop: TestShop) -> TestShop:
    shop = empty_shop
    shop.take("currency,day,rate\nEUR,2026-06-02,1.1\n")
    shop.take(ORDERS + "".join(orders()))
    visits = [f"b{n}@example.com,visited,landing,2026-02-0{1 + n % 9}T10:00Z,bad,\n" for n in range(40)]
    visits += [f"g{n}@example.com,visited,landing,2026-01-20T10:00Z,bad,\n" for n in range(40)]  # too late
    visits += [f"n{n}@example.com,visited,landing,2026-01-01T10:00Z,good,bot\n" for n in range(3)]
    shop.take("email,what,stage,at,source,device\n" + "".join(visits))
    spend = (
        SPEND
        + "".join(f"2026-01-{day:02},good,spring,a{ad},50,\n" for day in range(1, 11) for ad in (1, 2))
        + "2026-06-05,good,spring,a1,50,EUR\n2026-02-05,bad,,,2000,\n2026-01-05,empty,,,1000,\n"
        + "2026-01-05,small,,,20,\n2026-06-05,late,,,100,\n"
    )
    assert shop.take(spend).rejected == 0
    assert shop.take(spend).updated == 0
    return shop


def told(
    shop: TestShop, by: By = "source", now: datetime = NOW, since: datetime | None = None
) -> SourcesReport:
    with shop.store.reading() as connection:
        return sources_report(connection, Settings(), CATALOGUE, Asked(since, now, now), by)


def lines(report: SourcesReport) -> dict[tuple[tuple[str, ...], bool], Line]:
    return {(line.traffic.names, line.traffic.paid_for): line for line in report.lines}


def near(found: float | None, wanted: float) -> bool:
    return found is not None and isclose(found, wanted, abs_tol=5e-5)


def test_the_figures_worked_out_by_hand(made):
    report = told(made)
    assert f"{report.since:%Y-%m-%d}" == "2026-01-01"  # the first day with spend
    assert [month.name for month in report.months] == [f"2026-0{number}" for number in range(1, 7)]
    assert report.mature == {30: 5, 60: 4, 90: 3, 365: 0}
    good = lines(report)[("good",), True]
    assert (good.spend, good.customers, good.front) == (105_500, 42, 53_000)  # 42 * 15 - 10 * 10 = 530
    assert near(good.front_roi, 530 / 1055 - 1)
    at_30, at_60, at_90, at_365 = good.returns
    # 40 * 15 - 100 = 500 by 30 days, and 40 * 30 = 1200 more by 60; June is too young and left out with its spend
    assert (at_30.months, at_30.spend, at_30.customers, at_30.net) == (5, 100_000, 40, 50_000)
    assert (near(at_30.roi, -0.5), near(at_60.roi, 0.7), near(at_90.roi, 0.7)) == (True, True, True)
    assert (at_365.months, at_365.spend, at_365.roi) == (0, 0, None)
    # each paid 45, and ten of them 35: 30 * 45 * 45 + 10 * 35 * 35 = 73000
    sure = good.deciding.interval
    assert near(sure.low, (1700 - 1.959964 * sqrt(73_000)) / 1000 - 1)
    assert near(sure.high, (1700 + 1.959964 * sqrt(73_000)) / 1000 - 1)
    assert good.breaks_even == 46  # on the day that begins when they are 45 days old
    assert (good.margin, good.margin_of) == (32 * 600, 32 * 1000)  # 30 kept guides of January, two of June


def test_every_line(made):
    found = {
        (line.traffic.names[0], line.traffic.paid_for): (
            line.spend, line.customers, line.front, line.breaks_even, line.verdict,
        )
        for line in told(made).lines
    }  # fmt: skip
    assert found == {
        ("good", True): (105_500, 42, 53_000, 46, Verdict.SCALE),
        ("bad", True): (200_000, 40, 40_000, None, Verdict.STOP),
        # the 81 who were paid for and are 90 days old brought 2110, 26.05 each: for 1000 there should be 38
        ("empty", True): (100_000, 0, 0, None, Verdict.STOP),
        ("small", True): (2_000, 1, 1_000, None, Verdict.TOO_FEW),
        ("late", True): (10_000, 1, 1_000, None, Verdict.TOO_EARLY),
        ("good", False): (0, 5, 5_000, None, Verdict.NO_SPEND),
        ("", False): (0, 3, 3_000, None, Verdict.NO_SPEND),
    }


def test_the_most_spent_stands_first_and_nothing_is_spread(made):
    report = told(made)
    assert [line.traffic.names[0] for line in report.lines[:3]] == ["bad", "good", "empty"]
    assert sum(line.spend for line in report.lines) == 417_500
    assert sum(line.customers for line in report.lines) == 92


def test_by_campaign_and_by_ad(made):
    by_campaign = lines(told(made, "campaign"))
    assert by_campaign[("good", "spring"), True].spend == 105_500
    assert by_campaign[("good", ""), False].customers == 5
    by_ad = lines(told(made, "ad"))
    assert by_ad[("good", "spring", "a1"), True].spend == 55_500
    assert by_ad[("good", "spring", ""), True].customers == 42  # orders tell no ad


def test_an_ad_is_not_stopped_for_customers_that_may_be_its_own(made):
    """Of 500 nothing is known to have come back, but the 1700 of whoever came by some ad of the campaign."""
    by_ad = lines(told(made, "ad"))
    ad = by_ad[("good", "spring", "a2"), True]
    assert (ad.spend, ad.customers, ad.deciding.interval.high) == (50_000, 0, -1)
    assert ad.verdict is Verdict.HOLD
    assert by_ad[("bad", "", ""), True].verdict is Verdict.STOP


@pytest.mark.parametrize(
    ("by", "spend", "names"),
    [
        ("campaign", "good,,", {("good", ""): 3}),  # for all that is told: the source
        ("campaign", "good,spring,", {("good", "spring"): 2, ("good", "fall"): 1}),
        ("ad", "good,,", {("good", "", ""): 3}),
        ("ad", "good,spring,", {("good", "spring", ""): 2, ("good", "fall", "a1"): 1}),
        ("ad", "good,spring,a1", {("good", "spring", "a1"): 1, ("good", "spring", "a2"): 1, ("good", "fall", "a1"): 1}),
    ],
)  # fmt: skip
def test_who_came_by_what_spend_does_not_tell_apart_is_of_what_it_tells(shop, by, spend, names):
    """Else the same money would have brought nobody, and they would have come for nothing."""
    touches = ("spring,a1", "spring,a2", "fall,a1")
    rows = [f"{n}@example.com,visited,landing,2026-01-10T09:00Z,good,{t}\n" for n, t in enumerate(touches)]
    shop.take("email,what,stage,at,source,campaign,ad\n" + "".join(rows))
    sold = [f"{n},{n}@example.com,2026-01-10T10:00Z,guide,100,USD,,core,,,\n" for n in range(3)]
    shop.take(ORDERS + "".join(sold))
    shop.take(f"{SPEND}2026-01-10,{spend},100,\n")
    report = told(shop, by)
    assert {line.traffic.names: line.customers for line in report.lines} == names
    assert report.lines[0].front == 10_000 * report.lines[0].customers


def test_each_month_by_itself(made):
    good = lines(told(made))[("good",), True]
    assert list(good.cohorts) == [
        {
            "month": "2026-01",
            "spend": 100_000,
            "customers": 40,
            "net": {"30": 50_000, "60": 170_000, "90": 170_000, "365": None},
        },
        {
            "month": "2026-06",
            "spend": 5_500,
            "customers": 2,
            "net": {"30": None, "60": None, "90": None, "365": None},
        },
    ]


def test_an_instant_in_the_past_knows_nothing_later(made):
    """On the 1st of March January is 28 days old, so nothing can be said at 30 days."""
    report = told(made, now=datetime(2026, 3, 1, tzinfo=UTC))
    good = lines(report)[("good",), True]
    assert report.mature == {30: 0, 60: 0, 90: 0, 365: 0}
    assert (good.spend, good.customers, good.verdict) == (100_000, 40, Verdict.TOO_EARLY)
    assert told(made, now=datetime(2026, 1, 20, tzinfo=UTC)).lines[0].front == 60_000  # before the refunds


def test_since_leaves_earlier_spend_and_customers_out(made):
    found = lines(told(made, since=datetime(2026, 2, 1, tzinfo=UTC)))
    assert found[("good",), True].spend == 5_500
    assert {names for names, _ in found} == {("good",), ("bad",), ("late",)}


def test_nothing_at_all(shop):
    report = told(shop)
    assert (report.lines, report.months) == ([], [])
