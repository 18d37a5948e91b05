"""WooCommerce: orders with what went back of them, and customers, by webhooks of the shop."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.facts.receiving.parts import filled, first, items, needed, part, required, text, written
from engine.facts.receiving.saying import Fact, Fields, OfOrder, Said
from engine.facts.receiving.sources.source import Events, Hook, Posted, digest, same

NAME = "woocommerce"
CUSTOM = "woocommerce:custom"  # the product of lines that name none
PAID = ("processing", "completed", "refunded")
CANCELLED = "cancelled"  # without a time; an order may be taken up again
HELLO = re.compile(rb"webhook_id=\d+")  # what it posts, unsigned, when a webhook is made
Thing = Mapping[str, Any]


def _believes(posted: Posted, secret: str, _: datetime) -> bool:
    if HELLO.fullmatch(posted.body):
        return True
    return same(posted.header("X-WC-Webhook-Signature"), b64encode(digest(posted.body, secret)).decode())


def _events(posted: Posted) -> Events:
    """The topic stands in a header alone, so it is kept beside the body. The same again is one event."""
    if HELLO.fullmatch(posted.body):
        return []
    return [(None, {"topic": posted.header("X-WC-Webhook-Topic"), "body": json.loads(posted.body)})]


def _read(event: Any, _: datetime) -> Said:
    said = part(event)
    resource, what = _topic(said.get("topic"))
    make = KINDS.get(resource)
    return make(part(said, "body")) if make and what in ("created", "updated", "restored") else []


def _topic(said: Any) -> tuple[str, str]:
    resource, _, what = text(said).partition(".")
    return resource, what


def _order(order: Thing) -> Said:
    created = _gmt(order, "date_created")
    since = required(_gmt(order, "date_modified") or created, "date_modified_gmt")
    paid = text(order.get("status")) in PAID or _gmt(order, "date_paid") is not None
    who = _who(order, first(order, "customer_id"))
    head = {
        **who,
        "at": written(created),
        "paid": "yes" if paid else "no",
        "order_total": first(order, "total"),
        "currency": first(order, "currency"),
    }
    refunds = {
        first(each, "id"): {"at": since, "amount": first(each, "total").removeprefix("-")}
        for each in items(order.get("refunds"))
    }
    lines = [_line(each) for each in items(order.get("line_items"))] or _unlisted(order)
    person = [Fact("customers", _person(order, who, since))] if who else []
    cancelled = since if text(order.get("status")) == CANCELLED else ""
    told = OfOrder(
        needed(order, "id"), since, filled(head), lines, refunds if paid else {}, cancelled=cancelled
    )
    return [*person, told]


def _unlisted(order: Thing) -> Sequence[Fields]:
    """An order may cost something, and name no line: a donation is mostly a fee."""
    total = first(order, "total")
    return [] if total.strip("0.") == "" else [{"sku": CUSTOM, "amount": total}]


def _who(thing: Thing, number: str) -> Fields:
    """Guests have the number 0."""
    email = first(thing, "email") or first(part(thing, "billing"), "email")
    return filled({"email": email, "shop_id": "" if number == "0" else number})


def _person(thing: Thing, who: Fields, since: str) -> Fields:
    billing = part(thing, "billing")
    return filled({
        **who,
        "first_name": first(thing, "first_name") or first(billing, "first_name"),
        "last_name": first(thing, "last_name") or first(billing, "last_name"),
        "country": first(billing, "country"),
        "known_at": written(_gmt(thing, "date_created")),
        "updated_at": since,
    })  # fmt: skip


def _line(line: Thing) -> Fields:
    return filled({
        "line_id": first(line, "id"),
        "sku": first(line, "sku") or _number(line) or CUSTOM,
        "quantity": first(line, "quantity"),
        "amount": first(line, "total"),
    })  # fmt: skip


def _number(line: Thing) -> str:
    """Products that are there no more have the number 0."""
    number = first(line, "product_id")
    return "" if number == "0" else number


def _customer(customer: Thing) -> Said:
    since = required(_gmt(customer, "date_modified") or _gmt(customer, "date_created"), "date_modified_gmt")
    return [Fact("customers", _person(customer, _who(customer, needed(customer, "id")), since))]


def _gmt(thing: Thing, name: str) -> datetime | None:
    """Its times in GMT are written without a zone."""
    try:
        return datetime.fromisoformat(text(thing.get(f"{name}_gmt"))).replace(tzinfo=UTC)
    except ValueError:
        return None


KINDS: Mapping[str, Callable[[Thing], Said]] = {"order": _order, "customer": _customer}
SOURCE = Hook(NAME, "woocommerce_webhook", _read, _believes, _events)
