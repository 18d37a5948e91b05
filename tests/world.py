"""People and their facts as plain data: what tests make up, the store holds, and the oracle judges."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from engine.facts.catalogue import Catalogue, Product
from engine.store import tables

CATALOGUE = Catalogue(
    [
        Product(sku="guide", name="The Guide", kind="tripwire", units=["c1", "c2", "c3"], tags=("start",)),
        Product(
            sku="course",
            name="The Course",
            kind="core",
            units={f"l{n}": f"Lesson {n}" for n in range(1, 5)},
            category="learn",
        ),
        Product(sku="mug", name="The Mug", kind="physical", category="goods", tags=("gift",)),
        Product(sku="towel", name="The Towel", kind="physical", category="goods", tags=("gift",)),
        Product(sku="club", name="The Club", kind="subscription", category="club"),
        Product(sku="patron", name="The Patrons", kind="subscription", category="club"),
    ]
)


@dataclass
class Line:
    sku: str
    quantity: int = 1
    amount: int = 700  # minor units
    refunded_at: datetime | None = None
    position: str = ""  # as the source told it
    side: str = "front"


@dataclass
class Order:
    at: datetime
    lines: list[Line]
    paid: bool = True
    source: str = ""
    medium: str = ""
    campaign: str = ""
    opens: bool = False  # a transaction

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def refunded_at(self) -> datetime | None:
        """Wholly refunded from the refund of its last line on."""
        times = [line.refunded_at for line in self.lines]
        return None if None in times else max(time for time in times if time is not None)


@dataclass
class Refund:
    at: datetime
    amount: int
    sku: str = ""


@dataclass
class Use:
    at: datetime
    sku: str
    unit: str = ""
    kind: str = "completed"


@dataclass
class Change:
    """What a shop says of a subscription: from `at` on it stands so."""

    at: datetime
    sku: str = "club"
    status: str = "active"
    subscription: str = "s1"
    renews_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass
class Sent:
    """A mail in the outbox, planned at `at`, and settled then if it is."""

    at: datetime
    campaign: str = "letters"
    step: str = "one"
    status: str = "accepted"


@dataclass
class Event:
    """What a provider told of a mail."""

    at: datetime
    kind: str = "opened"
    campaign: str = "letters"
    step: str = "one"
    machine: bool = False


@dataclass
class Told:
    """What the funnel tells."""

    at: datetime
    what: str = "offer_shown"
    sku: str = ""
    checkout_id: str = ""
    stage: str = ""


@dataclass
class Attribute:
    name: str
    at: datetime
    value: str

    @property
    def number(self) -> float | None:
        try:
            return float(self.value)
        except ValueError:
            return None


@dataclass
class Consent:
    at: datetime
    granted: bool = True
    topic: str = "marketing"


@dataclass
class Person:
    known_at: datetime
    orders: list[Order] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    mails: list[Sent] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    funnel: list[Told] = field(default_factory=list)
    email: str | None = None
    timezone: str = ""
    country: str = ""


def write(connection: Connection, people: dict[int, Person]) -> None:
    """Put the people into the store's tables."""
    for customer_id, person in people.items():
        _add(connection, tables.customers, [_customer(customer_id, person)])
        _add(connection, tables.contact_state, [{"customer_id": customer_id}])
        for name, rows in _facts(customer_id, person).items():
            _add(connection, tables.metadata.tables[name], rows)


def _add(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _customer(customer_id: int, person: Person) -> dict[str, Any]:
    lot = int(sha256(str(customer_id).encode()).hexdigest(), 16) % (2**31 - 1)
    known = person.known_at
    return {
        "customer_id": customer_id,
        "email": person.email,
        "timezone": person.timezone,
        "country": person.country,
        "known_at": known,
        "lot": lot,
        "recorded_at": known,
    }


def _facts(customer_id: int, person: Person) -> dict[str, list[dict[str, Any]]]:
    facts: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in (
            "orders",
            "order_lines",
            "refunds",
            "consumption",
            "attributes",
            "consents",
            "messages",
            "mail_events",
            "subscriptions",
            "transactions",
            "funnel_events",
        )
    }
    base = {"customer_id": customer_id, "recorded_at": person.known_at}
    for number, order in enumerate(person.orders):
        ref = f"o{number}"
        money = {"amount": order.amount, "charged": order.amount, "currency": "USD"}
        facts["orders"].append(
            {
                **base,
                "order_ref": ref,
                "at": order.at,
                "paid": order.paid,
                "refunded_at": order.refunded_at,
                "digest": "",
                "source": order.source,
                "medium": order.medium,
                "campaign": order.campaign,
                **money,
            }
        )
        if order.paid:
            facts["order_lines"] += [
                {**base, "order_ref": ref, "line_ref": str(n), "at": order.at, **vars(line)}
                for n, line in enumerate(order.lines)
            ]
    facts["transactions"] = [
        {
            "customer_id": customer_id,
            "first_order_ref": f"o{order_number}",
            "number": number,
            **dict.fromkeys(("opened_at", "closes_at", "last_addition_at"), order.at),
        }
        for number, (order_number, order) in enumerate(opening(person), start=1)
    ]
    facts["refunds"] = [
        {**base, "refund_ref": str(n), **vars(refund)} for n, refund in enumerate(person.refunds)
    ]
    facts["consumption"] = [{**base, **vars(use)} for use in person.uses]
    facts["attributes"] = [{**base, **vars(a), "number": a.number} for a in person.attributes]
    facts["consents"] = [{**base, **vars(consent)} for consent in person.consents]
    facts["messages"] = [
        _message(n, mail) | {"customer_id": customer_id} for n, mail in enumerate(person.mails)
    ]
    facts["mail_events"] = [{**base, **_event(n, event)} for n, event in enumerate(person.events)]
    facts["funnel_events"] = [{**base, **vars(told)} for told in person.funnel]
    facts["subscriptions"] = [{**base, **row} for row in _subscription_rows(person.changes)]
    return facts


def opening(person: Person) -> list[tuple[int, Order]]:
    """The orders that opened a transaction, the first one first, each with its number in the person."""
    theirs = [(n, order) for n, order in enumerate(person.orders) if order.opens and order.paid]
    return sorted(theirs, key=lambda each: each[1].at)


def _message(number: int, mail: Sent) -> dict[str, Any]:
    settled = mail.at if mail.status in ("accepted", "rejected", "cancelled") else None
    return {
        "campaign_id": mail.campaign,
        "step_id": mail.step,
        "spell": number,
        "version": "",
        "track": "back-end",
        "status": mail.status,
        "planned_at": mail.at,
        "due_at": mail.at,
        "meant_at": mail.at,
        "settled_at": settled,
    }


def _event(number: int, event: Event) -> dict[str, Any]:
    return {
        "source": "sendgrid",
        "event_id": str(number),
        "kind": event.kind,
        "at": event.at,
        "campaign_id": event.campaign,
        "step_id": event.step,
        "machine": event.machine,
        "address_hash": "",
    }


def _subscription_rows(changes: list[Change]) -> Iterator[dict[str, Any]]:
    """The changes of each subscription as the importer keeps them, expiries by themselves included."""
    for ref in sorted({change.subscription for change in changes}):
        told = sorted((c for c in changes if c.subscription == ref), key=lambda c: c.at)
        rows = [
            row for here, after in zip(told, [*told[1:], None], strict=True) for row in _stood(here, after)
        ]
        for row, after in zip(rows, [*rows[1:], None], strict=True):
            yield {**row, "until": after["at"] if after else None}


def _stood(change: Change, after: Change | None) -> Iterator[dict[str, Any]]:
    words = vars(change) | {"subscription_ref": change.subscription, "derived": False}
    row = {word: value for word, value in words.items() if word != "subscription"}
    yield row
    ends = change.ends_at
    if ends is not None and change.status != "expired" and (after is None or ends < after.at):
        yield {**row, "at": ends, "status": "expired", "renews_at": None, "derived": True}
