"""Invariant 5: random checkouts, late facts, refunds and jumps of the clock, and neither track crosses the line."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from engine.clock import span, to_micros
from engine.facts.transactions import (
    Ending,
    PaidOrder,
    Transaction,
    derive_transactions,
    transactions_of,
    write_sides,
)
from engine.settings.model import Settings
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, campaign_text
from tests.world import Consent, Person
from tests.worlds import so_many

MINUTE = timedelta(minutes=1)
MAIL = "email: {subject: Hello, template: a.html}"
CAMPAIGNS = [
    campaign_text(
        "back", audience="{bought: {any: true}}", enter="every_time",
        steps=f"[{{id: a, after: 0, {MAIL}}}, {{id: b, after: 2h, {MAIL}}}, {{id: c, after: 1d, {MAIL}}}]",
    ),
    campaign_text("daily", on="{bought: {any: true}}", enter="every_time", audience="{bought: {any: true}}"),
    campaign_text(
        "front", track="front-end", enter="every_time", audience="{bought: {product: guide}}", offers="[mug]",
        steps=f"[{{id: a, after: 0, {MAIL}}}, {{id: b, after: 10m, {MAIL}}}, {{id: c, after: 30m, {MAIL}}}]",
    ),
    campaign_text("once", track="front-end", audience="{bought: {any: true}}"),
]  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """Something that happens so many minutes after the beginning, and is imported so many ticks later."""

    minute: int
    late: int
    what: str  # order | unpaid, or as the funnel tells
    checkout: str
    sku: str = "guide"
    refunded: bool = False

    @property
    def at(self) -> datetime:
        return NOW + self.minute * MINUTE


facts = st.lists(
    st.builds(
        Fact,
        st.integers(0, 400),
        st.sampled_from([0, 0, 0, 1, 3]),
        st.sampled_from(["order", "order", "order", "unpaid", "checkout_started", "completed", "released"]),
        st.sampled_from(["", "", "x", "y"]),
        st.sampled_from(["guide", "guide", "mug"]),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=2,
    max_size=9,
    unique_by=lambda fact: (fact.what, fact.minute),
)
jumps = st.lists(st.sampled_from([1, 3, 7, 29, 30, 60, 61, 300, 1500, -9]), min_size=6, max_size=10)
houses = st.fixed_dictionaries(
    {
        "front_end": st.sampled_from([{"quiet": "0m"}, {"quiet": "30m"}, {"quiet": "24h"}]),
        "checkout": st.sampled_from([{"expires": "45m"}, {"expires": "24h"}]),
    }
)


@pytest.fixture(scope="module")
def both(new_postgres: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    stores = [Store(f"sqlite:///{tmp_path_factory.mktemp('tracks')}/store.db"), Store(new_postgres())]
    for store in stores:
        ensure_current(store)
    yield stores
    for store in stores:
        store.close()


@given(lives=st.lists(facts, min_size=1, max_size=3), waits=jumps, house=houses)
@settings(max_examples=so_many(8), suppress_health_check=[HealthCheck.too_slow])
def test_neither_track_crosses_the_line(
    both: list[Store], lives: list[list[Fact]], waits: list[int], house: Any
) -> None:
    shops = [_shop(store, len(lives), house) for store in both]
    now, latest = NOW, NOW
    known: dict[int, list[Fact]] = {who: [] for who in range(1, len(lives) + 1)}
    for number, wait in enumerate(waits):
        now += wait * MINUTE
        latest = max(latest, now)
        for who, life in enumerate(lives, start=1):
            fresh = [f for f in life if f not in known[who] and f.at <= latest and f.late <= number]
            known[who] += fresh
            for shop in shops if fresh else ():
                _land(shop, who, fresh, number)
        ran = [shop.tick(now) for shop in shops]
        assert sorted(ran[0]) == sorted(ran[1]), "SQLite and PostgreSQL decide alike"
        for who, campaign, _, verdict, reason in ran[0]:
            _judge(shops[0], campaign, verdict, reason, known[who], now)


def _judge(
    shop: Shop, campaign: str, verdict: str, reason: str, known: Sequence[Fact], now: datetime
) -> None:
    front_end = shop.settings.front_end
    found = _transactions(known, span(front_end.window), now)
    is_open = [each for each in found if each.closes_at > to_micros(now)]
    if campaign in ("front", "once"):
        assert verdict != "send" or is_open, "a front-end mail outside of a transaction"
        return
    quiet = [each for each in found if _last(each, known) > to_micros(now - front_end.quiet)]
    begun = _checkouts(known, now, shop.settings)
    assert verdict != "send" or not (is_open or quiet or begun), "a back-end mail where it should be quiet"
    assert reason != "open_transaction" or is_open or quiet or begun, "held without a cause"


def _transactions(known: Sequence[Fact], window: int, now: datetime) -> list[Transaction]:
    then = [fact for fact in known if fact.at <= now]
    placed = [PaidOrder(to_micros(f.at), f"o{f.minute}", f.checkout) for f in then if f.what == "order"]
    ended = [Ending(to_micros(f.at), f.what, f.checkout) for f in then if f.what in ("completed", "released")]
    return transactions_of(placed, window, ended)


def _last(each: Transaction, known: Sequence[Fact]) -> int:
    """When it closed, or was added to afterwards."""
    added = [to_micros(fact.at) for fact in known if fact.what == "order" and f"o{fact.minute}" in each.refs]
    return max(each.closes_at, *added)


def _checkouts(known: Sequence[Fact], now: datetime, house: Settings) -> list[Fact]:
    """Those that are open: started, or ordered and not paid."""
    paid = [fact for fact in known if fact.what == "order" and fact.at <= now]
    begun = [
        fact
        for fact in known
        if fact.what in ("checkout_started", "unpaid") and fact.at <= now < fact.at + house.checkout.expires
    ]
    return [
        fact
        for fact in begun
        if not any(o.checkout == fact.checkout if fact.checkout else o.at >= fact.at for o in paid)
    ]


def _shop(store: Store, people: int, house: Any) -> Shop:
    with store.writing() as connection:
        for table in tables.metadata.tables.values():
            connection.execute(delete(table))
    yes = [Consent(NOW - DAY)]
    them = {who: Person(NOW - DAY, consents=yes, email=f"{who}@shop.example") for who in range(1, people + 1)}
    return Shop(store, CAMPAIGNS, Settings(frequency=[], **house), people=them)


def _land(shop: Shop, who: int, fresh: Sequence[Fact], number: int) -> None:
    """As an import of them does."""
    money = {"amount": 700, "charged": 700, "currency": "USD", "digest": ""}
    with shop.store.writing() as connection:
        for fact in fresh:
            row = {"customer_id": who, "at": fact.at, "recorded_at": NOW}
            if fact.what not in ("order", "unpaid"):
                told = {"what": fact.what, "stage": "", "sku": "", "checkout_id": fact.checkout}
                connection.execute(tables.funnel_events.insert(), row | told)
                continue
            ref, paid = f"{'o' if fact.what == 'order' else 'u'}{fact.minute}", fact.what == "order"
            back = fact.at + 200 * MINUTE if fact.refunded else None
            order = {"order_ref": ref, "paid": paid, "checkout_id": fact.checkout, "refunded_at": back}
            connection.execute(tables.orders.insert(), row | order | money)
            if paid:
                line = {"order_ref": ref, "line_ref": "1", "sku": fact.sku, "quantity": 1, "amount": 700}
                connection.execute(tables.order_lines.insert(), row | line | {"refunded_at": back})
        window = span(shop.settings.front_end.window)
        write_sides(connection, derive_transactions(connection, [who], window))
        connection.execute(tables.changes.insert(), {"customer_id": who, "change_id": number})
