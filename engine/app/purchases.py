"""What a customer bought: what opened and closed each transaction, and where each line of it stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, literal, select

from engine.clock import from_micros, span, to_micros
from engine.facts.checkouts import not_given_up, open_checkout, unpaid_order
from engine.facts.transactions import COMPLETED, FRONT, RELEASED, WINDOW, Transaction, stored_transactions
from engine.planning.story import stamp
from engine.rules.conditions.bought import place_of
from engine.settings.model import Settings
from engine.store.tables import funnel_events, order_lines, orders

CLOSED_BY = {
    COMPLETED: "its funnel was completed",
    RELEASED: "what was bought was released",
    WINDOW: "front_end.window had passed",
}


@dataclass(frozen=True)
class Purchase:
    """One order line: its position and end, and what tells them."""

    order: str
    at: datetime
    product: str
    position: str
    because: str
    end: str


@dataclass(frozen=True)
class Told:
    """One transaction; 1 is the front end. None where orders are of none: free ones before all others."""

    number: int | None
    opened_at: datetime | None
    opened_by: str
    closes_at: datetime | None
    closed_by: str
    lines: Sequence[Purchase]

    def sentence(self, now: datetime) -> str:
        if self.opened_at is None or self.closes_at is None:
            return "before the first transaction"
        end = "front end" if self.number == 1 else "back end"
        opened = f"opened {stamp(self.opened_at)} by order {self.opened_by}"
        if self.closes_at > now:
            return f"transaction {self.number} ({end}): {opened}, open until {stamp(self.closes_at)}"
        closed = f"closed {stamp(self.closes_at)}, when {CLOSED_BY[self.closed_by]}"
        return f"transaction {self.number} ({end}): {opened}, {closed}"


@dataclass(frozen=True)
class Checkout:
    """One that was started, and has no paid order yet; `order` is the one that is not paid."""

    checkout: str
    started_at: datetime
    until: datetime
    order: str = ""

    @property
    def sentence(self) -> str:
        ends = f"open until an order or {stamp(self.until)}"
        if self.order:
            return f"order {self.order}: placed {stamp(self.started_at)} and not paid, a checkout {ends}"
        named = f"checkout {self.checkout}" if self.checkout else "a checkout"
        return f"{named}: started {stamp(self.started_at)}, {ends}"


@dataclass(frozen=True)
class Purchases:
    """All of one customer's, by what had happened at an instant."""

    transactions: Sequence[Told] = ()
    checkouts: Sequence[Checkout] = ()

    def as_json(self) -> Mapping[str, Any]:
        return asdict(self)


def purchases_of(connection: Connection, settings: Settings, customer_id: int, now: datetime) -> Purchases:
    """Their transactions in order of opening, and the checkouts that are open."""
    window = span(settings.front_end.window)
    found = stored_transactions(connection, customer_id, window, to_micros(now))
    lines = _lines(connection, customer_id, now, found)
    mine = {ref for each in found for ref in each.refs}
    told = [_told(each, [line for line in lines if line.order in each.refs]) for each in found]
    others = [line for line in lines if line.order not in mine]
    if others:
        told.insert(0, Told(None, None, "", None, "", others))
    return Purchases(told, list(_checkouts(connection, settings, customer_id, now)))


def _told(each: Transaction, lines: Sequence[Purchase]) -> Told:
    at, by = each.closes
    return Told(each.number, from_micros(each.opened_at), each.first_ref, from_micros(at), by, lines)


def _lines(
    connection: Connection, customer_id: int, now: datetime, found: Sequence[Transaction]
) -> list[Purchase]:
    line = order_lines.c
    asked = select(line.order_ref, line.at, line.sku, place_of(order_lines), line.position, line.side)
    mine = asked.where(line.customer_id == customer_id, line.at <= now)
    openers = {each.first_ref for each in found}
    return [
        Purchase(ref, at, sku, position, _because(position, told, ref in openers), side or FRONT)
        for ref, at, sku, position, told, side in connection.execute(mine.order_by(line.at, line.line_ref))
    ]


def _because(position: str, told: str, opens: bool) -> str:  # noqa: FBT001 - whether its order is the first
    if told:
        return "the source says so"
    if opens:
        return "its order opened the transaction"
    return "added to the transaction" if position == "upsell" else "before the first transaction"


def _checkouts(
    connection: Connection, settings: Settings, customer_id: int, now: datetime
) -> Iterator[Checkout]:
    expires, event, order = settings.checkout.expires, funnel_events.c, orders.c
    since = now - not_given_up(expires)
    started = select(event.checkout_id, event.at, literal("")).where(
        event.customer_id == customer_id, *open_checkout(since, now)
    )
    unpaid = select(order.checkout_id, order.at, order.order_ref).where(
        order.customer_id == customer_id, *unpaid_order(since, now)
    )
    for found in (started.order_by(event.at), unpaid.order_by(order.at)):
        for checkout, at, ref in connection.execute(found):
            yield Checkout(checkout, at, at + expires, ref)
