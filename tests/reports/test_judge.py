"""Both reports against a slow judge that looks at one person after the other, over invented worlds."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from engine.clock import from_micros, to_micros
from engine.facts.catalogue import Catalogue
from engine.reports.cohorts import By
from engine.reports.funnel import funnel_report
from engine.reports.periods import Asked
from engine.reports.sources import sources_report
from engine.settings.model import Settings
from engine.store.tables import consents, funnel_events, order_lines, orders, refunds, spend, transactions
from tests.facts.conftest import TestShop

NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAY, HOUR, NEVER = 86_400_000_000, 3_600_000_000, 1 << 62
TABLES = (consents, funnel_events, order_lines, orders, refunds, spend, transactions)
SOURCES = ("", "google", "meta")
PAGES = ("landing", "opt-in", "sales-page", "order-form", "upsell")
OFFERS = ("bump", "upsell", "downsell")
SHOP = Settings()


@dataclass
class World:
    """Facts as rows of their tables; instants are microseconds."""

    dice: Random
    rows: dict[Any, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def invent(self) -> "World":
        for customer in range(self.dice.randint(0, 25)):
            self._visits(customer)
            if self.dice.random() < 0.5:
                self._orders(customer)
            if self.dice.random() < 0.3:
                granted, ordered = self.dice.random() < 0.8, [row["at"] for row in self.of(orders, customer)]
                at = self.dice.choice([self._at(), *ordered])
                self._add(consents, customer_id=customer, topic="news", at=at, granted=granted)
        for _ in range(self.dice.randint(0, 8)):
            day = date(2025, 12, 20) + timedelta(days=self.dice.randint(0, 200))
            key = {
                "day": day,
                "source": self.dice.choice(SOURCES[1:]),
                "campaign": self.dice.choice(("", "a")),
            }
            if key not in [{name: row[name] for name in key} for row in self.rows[spend]]:
                amount = self.dice.randint(0, 3_000)
                self._add(spend, **key, ad="", amount=amount, currency="USD", charged=amount)
        return self

    def _at(self) -> int:
        return to_micros(NOW) - self.dice.randint(-5, 200) * DAY - self.dice.choice((0, 0, 7_000_000))

    def _add(self, table: Any, **row: Any) -> None:
        self.rows[table].append(row | {"recorded_at": 0} if "recorded_at" in table.c else row)

    def _traffic(self) -> dict[str, str]:
        source = self.dice.choice(SOURCES)
        return {"source": source, "medium": "", "campaign": self.dice.choice(("", "a")) if source else ""}

    def _visits(self, customer: int) -> None:
        seen: set[Any] = set()
        for _ in range(self.dice.randint(0, 6)):
            what = self.dice.choice(
                ("visited",) * 4 + ("checkout_started", "offer_shown", "completed", "released")
            )
            stage = self.dice.choice(PAGES) if what == "visited" else ""
            key = {
                "what": what,
                "stage": stage or ("upsell" if what == "offer_shown" else ""),
                "at": self._at(),
            }
            if str(key) in seen:
                continue
            seen.add(str(key))
            device = self.dice.choice(("mobile", "desktop", "", "bot"))
            told = self._traffic() | {"sku": "", "checkout_id": "", "ad": "", "device": device}
            self._add(funnel_events, customer_id=customer, **key, **told)

    def _orders(self, customer: int) -> None:
        times = sorted({self._at() for _ in range(self.dice.randint(1, 3))})
        if self.dice.random() < 0.2:
            self._unpaid(customer)
        for number, at in enumerate(times):
            ref, amount, first = f"{customer}-{number}", self.dice.randint(1, 999), number == 0
            key = {"customer_id": customer, "order_ref": ref}
            money = {"amount": amount, "currency": "USD", "charged": amount, "checkout_id": "", "digest": ""}
            self._add(orders, **key, at=at, paid=True, **money, **self._traffic(), refunded_at=None)
            side = {"side": "front" if first else "back", "position": self.dice.choice(("core", *OFFERS))}
            line = {"line_ref": "1", "sku": "guide", "at": at, "quantity": 1, "amount": amount}
            self._add(order_lines, **key, **line, **side, refunded_at=None)
            span = {"opened_at": at, "closes_at": at, "last_addition_at": at, "number": number + 1}
            self._add(transactions, customer_id=customer, first_order_ref=ref, **span)
            if self.dice.random() < 0.3:
                back = {"at": at + self.dice.randint(0, 99) * DAY, "amount": self.dice.randint(1, amount)}
                order_ref = ref if self.dice.random() < 0.7 else ""
                told = {"refund_ref": ref, "line_ref": "", "sku": "", "charged": None}
                self._add(refunds, customer_id=customer, order_ref=order_ref, **told, **back)

    def _unpaid(self, customer: int) -> None:
        money = {"amount": 500, "currency": "USD", "charged": 500, "checkout_id": "", "digest": ""}
        told = {"order_ref": f"{customer}-unpaid", "at": self._at(), "paid": False, "refunded_at": None}
        self._add(orders, customer_id=customer, **told, **money, **self._traffic())

    # ── the slow judge ──────────────────────────────────────────────────────────────────────────

    def of(self, table: Any, customer: int) -> list[dict[str, Any]]:
        return [row for row in self.rows[table] if row["customer_id"] == customer]

    def people(self) -> set[int]:
        return {row["customer_id"] for table in (funnel_events, orders) for row in self.rows[table]}

    def first_order(self, customer: int, now: int) -> int | None:
        opened = [row["opened_at"] for row in self.of(transactions, customer) if row["number"] == 1]
        return opened[0] if opened and opened[0] <= now else None

    def touch(self, customer: int, until: int) -> tuple[str, str]:
        """Source and campaign of the first touch."""
        events = [row for row in self.of(funnel_events, customer) if row["device"] != "bot"]
        told = [(row["at"], 0, row["source"], row["campaign"]) for row in events if row["source"]]
        told += [(r["at"], 1, r["source"], r["campaign"]) for r in self.of(orders, customer) if r["source"]]
        known = sorted(each for each in told if each[0] <= until)
        return known[0][2:] if known else ("", "")

    def front(self, customer: int, now: int) -> int:
        lines = [row for row in self.of(order_lines, customer) if row["side"] == "front" and row["at"] <= now]
        refs = {row["order_ref"] for row in lines}
        paid = sum(row["amount"] for row in self.of(orders, customer) if row["order_ref"] in refs)
        gone = [row for row in self.of(refunds, customer) if row["order_ref"] in refs and row["at"] <= now]
        return paid - sum(row["amount"] for row in gone)

    def net(self, customer: int, since: int, days: int, now: int) -> int:
        def before(row: dict[str, Any]) -> bool:
            return row["at"] <= now and row["at"] < since + days * DAY

        paid = sum(row["amount"] for row in self.of(orders, customer) if row["paid"] and before(row))
        return paid - sum(row["amount"] for row in self.of(refunds, customer) if before(row))

    def walk(self, customer: int, now: int) -> tuple[str, set[str], int] | None:
        """Source, stages and money of a visitor; None for who is none."""
        seeing = ("visited", "checkout_started", "offer_shown")
        events = [r for r in self.of(funnel_events, customer) if r["device"] != "bot" and r["at"] <= now]
        times = [row["at"] for row in events if row["what"] in seeing]
        order = self.first_order(customer, now)
        if not times or (order is not None and order < min(times)):
            return None
        until = now if order is None else order
        stages = {row["stage"] for row in events if row["what"] == "visited" and row["at"] <= until}
        stages.discard("upsell")
        if any(row["what"] == "checkout_started" and row["at"] <= until for row in events):
            stages.add("order-form")
        for row in self.of(consents, customer):
            if row["granted"] and min(times) <= row["at"] <= now and (order is None or row["at"] < order):
                stages.add("opt-in")
        front = NEVER if order is None else order + HOUR  # what is offered later is of another order
        if any(row["stage"] == "upsell" and row["at"] <= front for row in events):
            stages.add("upsell shown")
        if order is not None:
            stages.add("order")
            first = [row for row in self.of(order_lines, customer) if row["side"] == "front"]
            stages |= {row["position"] for row in first} & {*OFFERS}
        return self.touch(customer, until)[0], stages, self.front(customer, now) if order is not None else 0

    def traffic(self, source: str, campaign: str, by: str) -> tuple[tuple[str, ...], bool]:
        """What a customer is counted under, and whether it was paid for."""
        paid = {row["campaign"] for row in self.rows[spend] if row["source"] == source}
        if campaign not in paid and "" in paid:
            campaign = ""  # spend tells no more than the source
        return (source, campaign)[: 1 + (by == "campaign")], campaign in paid


def load(shop: TestShop, world: World) -> None:
    with shop.store.writing() as connection:
        for table in TABLES:
            connection.execute(delete(table))
            if world.rows[table]:
                connection.execute(insert(table), world.rows[table])


seeds = st.integers(0, 10**9)
# no fact is of the very instant: the end of the time asked about is not within it
instants = st.sampled_from([NOW - timedelta(days=days, hours=1) for days in (-1, 37, 95)])
many = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(seed=seeds, now=instants)
@many
def test_the_funnel(empty_shop: TestShop, seed: int, now: datetime) -> None:
    world = World(Random(seed)).invent()
    load(empty_shop, world)
    with empty_shop.store.reading() as connection:
        report = funnel_report(connection, SHOP, Asked(None, now, now), "source")
    walks = [walk for who in world.people() if (walk := world.walk(who, to_micros(now)))]
    assert report.visitors == len(walks)
    assert report.money == sum(money for _, _, money in walks)
    assert {group.name: group.visitors for group in report.groups} == Counter(
        source for source, _, _ in walks
    )
    for stage in report.stages:
        assert stage.visitors == sum(stage.stage.name in stages for _, stages, _ in walks), stage.stage.name
    rates = {each.stage.name: each.rate for each in report.stages if each.rate}
    way = ("landing", "opt-in", "sales-page", "order-form", "order")
    for before, after in pairwise(way):
        assert rates[after].of == sum(before in stages for _, stages, _ in walks)
        assert rates[after].did == sum({before, after} <= stages for _, stages, _ in walks)
    told = any("upsell shown" in stages for _, stages, _ in walks)
    shown = {"upsell shown", "upsell"} if told else {"order"}
    assert rates["upsell"].of == sum(bool(stages & shown) for _, stages, _ in walks)


def ledger(world: World, now: datetime, months: list[Any], by: By) -> Iterator[tuple[Any, str, int, int]]:
    """Traffic, month, customer and time of first order, of all customers of these months."""
    for who in sorted(world.people()):
        opened = world.first_order(who, to_micros(now))
        month = next((m for m in months if opened and m.begins <= from_micros(opened) < m.ends), None)
        if month is not None and opened is not None:
            yield world.traffic(*world.touch(who, opened), by), month.name, who, opened


@given(seed=seeds, now=instants, by=st.sampled_from(["source", "campaign"]))
@many
def test_the_sources(empty_shop: TestShop, seed: int, now: datetime, by: By) -> None:
    world = World(Random(seed)).invent()
    load(empty_shop, world)
    with empty_shop.store.reading() as connection:
        report = sources_report(connection, SHOP, Catalogue(), Asked(None, now, now), by)
    months, at = list(report.months), to_micros(now)
    customers: dict[Any, list[Any]] = defaultdict(list)
    for traffic, month, who, opened in ledger(world, now, months, by):
        customers[traffic].append((month, who, opened))
    costs: dict[Any, Counter[str]] = defaultdict(Counter)
    for row in world.rows[spend]:
        if months and months[0].begins.date() <= row["day"] <= now.date():
            names = (row["source"], row["campaign"])[: 1 + (by == "campaign")]
            costs[names, True][f"{row['day']:%Y-%m}"] += row["amount"]
    found = {(line.traffic.names, line.traffic.paid_for): line for line in report.lines}
    assert {*found} == {*customers} | {*costs}
    for traffic, line in found.items():
        theirs = customers[traffic]
        assert (line.customers, line.spend) == (len(theirs), costs[traffic].total())
        assert line.front == sum(world.front(who, at) for _, who, _ in theirs)
        for back in line.returns:
            old = {m.name for m in months if m.ends + timedelta(days=back.days) <= now}
            paid = [world.net(who, opened, back.days, at) for month, who, opened in theirs if month in old]
            assert (back.months, back.customers, back.net) == (len(old), len(paid), sum(paid))
            assert back.spend == sum(cost for month, cost in costs[traffic].items() if month in old)


def test_the_judge_has_something_to_judge() -> None:
    """The worlds are not empty: most have visitors, orders and spend."""
    invented = [World(Random(seed)).invent() for seed in range(50)]
    assert sum(len(world.people()) > 5 for world in invented) > 25
