"""The shop as files of canonical CSV: customers, consent, orders, subscriptions, consumption; and traffic."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.clock import aware
from engine.facts.catalogue import Catalogue
from engine.trials.bundle import bundled_catalogue
from engine.trials.demo_shop.cast import told_lives
from engine.trials.demo_shop.dice import Dice
from engine.trials.demo_shop.ledger import Ledger, Line, Order
from engine.trials.demo_shop.lives import Life
from engine.trials.demo_shop.people import invent
from engine.trials.demo_shop.traffic import spending, visits

Row = Sequence[Any]

HEADERS = {
    "customers.csv": "email,shop_id,first_name,last_name,country,locale,timezone,known_at,attribute.bakes",
    "consent.csv": "email,topic,granted,at,basis,source",
    "orders.csv": (
        "order_id,email,at,paid,line_id,sku,quantity,unit_price,currency,checkout_id,position,"
        "source,medium,campaign,refunded_at,refund_amount"
    ),
    "subscriptions.csv": "email,subscription_id,sku,status,at,renews_at,ends_at",
    "consumption.csv": "email,sku,unit,kind,at,progress",
}
FILES = tuple(HEADERS)
HEADERS |= {
    "funnel.csv": "email,anonymous_id,what,stage,at,source,medium,campaign,ad,device",
    "spend.csv": "day,source,campaign,ad,amount",
}
TRAFFIC = tuple(name for name in HEADERS if name not in FILES)
FIRST_ORDER = 20_001
_TRUTH = {True: "true", False: "false"}


def write_demo_shop(
    folder: Path, *, seed: int, customers: int = 2000, now: datetime, traffic: bool = False
) -> None:
    """Write the files into `folder`: the same bytes for the same seed, customers and `now`.

    With `traffic` the visitors before the orders as well, and what was spent on them: the files TRAFFIC.

    No fact is later than `now`. The week that ends at `now` is as lively as any other, and the lives
    written by hand lead up to its first hour: that is the week to run the bundled campaigns over.
    """
    catalogue = bundled_catalogue()
    now = aware(now).replace(microsecond=0)
    ledgers = _ledgers(catalogue, seed, customers, now)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "customers.csv", _customer_rows(ledgers))
    _write(folder / "consent.csv", _consent_rows(ledgers, now))
    _write(folder / "orders.csv", _order_rows(ledgers, now))
    _write(folder / "subscriptions.csv", _subscription_rows(ledgers, now))
    _write(folder / "consumption.csv", _consumption_rows(ledgers, now))
    if traffic:
        _write(folder / "funnel.csv", _funnel_rows(ledgers, seed, now))
        _write(folder / "spend.csv", _spend_rows(ledgers, seed, now))


def _ledgers(catalogue: Catalogue, seed: int, customers: int, now: datetime) -> list[Ledger]:
    """The cast, and as many others as it takes. Each has its own dice, so more of them change nobody."""
    told = told_lives(catalogue, now)[:customers]
    return told + [_lived(catalogue, seed, number, now) for number in range(len(told), customers)]


def _lived(catalogue: Catalogue, seed: int, number: int, now: datetime) -> Ledger:
    dice = Dice(f"{seed}/{number}")
    ledger = Ledger(invent(number, dice, now), catalogue)
    Life(ledger, dice, now).live()
    return ledger


def _customer_rows(ledgers: Iterable[Ledger]) -> Iterator[Row]:
    for ledger in sorted(ledgers, key=lambda ledger: (ledger.known_at, ledger.person.email)):
        person = ledger.person
        yield (
            person.email, person.shop_id, person.first_name, person.last_name,
            *person.place, _instant(ledger.known_at), person.bakes,
        )  # fmt: skip


def _consent_rows(ledgers: Iterable[Ledger], now: datetime) -> Iterator[Row]:
    said = [consent for ledger in ledgers for consent in ledger.consents if consent.at <= now]
    for consent in sorted(said, key=lambda consent: (consent.at, consent.email)):
        yield (
            consent.email, "marketing", _TRUTH[consent.granted], _instant(consent.at),
            consent.basis, consent.source,
        )  # fmt: skip


def _order_rows(ledgers: Iterable[Ledger], now: datetime) -> Iterator[Row]:
    placed = [order for ledger in ledgers for order in ledger.orders if order.at <= now]
    placed.sort(key=lambda order: (order.at, order.email))
    for number, order in enumerate(placed, start=FIRST_ORDER):
        for place, line in enumerate(order.lines, start=1):
            yield _line_row(f"SL-{number}", place, order, line, now)


def _line_row(order_id: str, place: int, order: Order, line: Line, now: datetime) -> Row:
    refunded = line.refunded_at is not None and line.refunded_at <= now
    return (
        order_id, order.email, _instant(order.at), _TRUTH[order.paid], f"{order_id}-{place}", line.sku,
        line.quantity, line.unit_price, "USD", order.checkout_id, line.position, *order.visit,
        _instant(line.refunded_at) if line.refunded_at and refunded else "",
        line.refund_amount if refunded else "",
    )  # fmt: skip


def _subscription_rows(ledgers: Iterable[Ledger], now: datetime) -> Iterator[Row]:
    stood = [change for ledger in ledgers for change in ledger.changes if change.at <= now]
    for change in sorted(stood, key=lambda change: (change.at, change.email)):
        ahead = (_instant(at) if at else "" for at in (change.renews_at, change.ends_at))
        yield (
            change.email, change.subscription_id, change.sku, change.status, _instant(change.at), *ahead,
        )  # fmt: skip


def _consumption_rows(ledgers: Iterable[Ledger], now: datetime) -> Iterator[Row]:
    left = [trace for ledger in ledgers for trace in ledger.traces if trace.at <= now]
    for trace in sorted(left, key=lambda trace: (trace.at, trace.email, trace.sku, trace.unit)):
        progress = "" if trace.progress is None else trace.progress
        yield trace.email, trace.sku, trace.unit, trace.kind, _instant(trace.at), progress


def _funnel_rows(ledgers: Sequence[Ledger], seed: int, now: datetime) -> Iterator[Row]:
    seen = sorted(visits(ledgers, seed, now), key=lambda seen: (seen.at, seen.email, seen.anonymous_id))
    for email, anonymous_id, stage, at, visit, ad, device in seen:
        yield email, anonymous_id, "visited", stage, _instant(at), *visit, ad, device


def _spend_rows(ledgers: Sequence[Ledger], seed: int, now: datetime) -> Iterator[Row]:
    for day, *rest in sorted(spending(ledgers, seed, now)):
        yield f"{day:%Y-%m-%d}", *rest


def _write(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADERS[path.name] + "\n")
        csv.writer(file, lineterminator="\n").writerows(rows)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
