"""Shopify: orders, what went back of them, customers and checkouts, by webhooks of the shop."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine.facts.receiving.parts import filled, first, items, moment, needed, part, required, text, written
from engine.facts.receiving.saying import (
    APART,
    VOID,
    Fact,
    Fields,
    NotUnderstood,
    NotWanted,
    OfOrder,
    Said,
)
from engine.facts.receiving.sources.source import Events, Hook, Posted, digest, same

NAME = "shopify"
TIP, CUSTOM = "shopify:tip", "shopify:custom"  # the products of lines that name none
PAID = ("paid", "partially_refunded", "refunded")
OPEN, LOST = ("needs_response", "under_review"), ("lost", "accepted")  # of disputes
Thing = Mapping[str, Any]


def _believes(posted: Posted, secret: str, _: datetime) -> bool:
    return same(posted.header("X-Shopify-Hmac-Sha256"), b64encode(digest(posted.body, secret)).decode())


def _events(posted: Posted) -> Events:
    """The topic stands in a header alone, so it is kept beside the body."""
    body = json.loads(posted.body)
    own = posted.header("X-Shopify-Webhook-Id") or None
    return [(own, {"topic": posted.header("X-Shopify-Topic"), "body": body})]


def _read(event: Any, _: datetime) -> Said:
    resource, what, thing = _told(event)
    make = KINDS.get(resource)
    return make(thing) if make and what != "delete" else []


def _is_test(event: Any) -> bool:
    """An order by a gateway in test mode. A refund of it says so by what was paid back."""
    resource, _, thing = _told(event)
    paid_back = items(thing.get("transactions")) if resource == "refunds" else ()
    return thing.get("test") is True or any(each.get("test") is True for each in paid_back)


def _told(event: Any) -> tuple[str, str, Thing]:
    """The parts of the topic, and the thing that it is of."""
    resource, what = _topic(part(event).get("topic"))
    body = part(event, "body")
    return resource, what, part(body, resource.removesuffix("s")) or body


def _topic(said: Any) -> tuple[str, str]:
    resource, _, what = text(said).partition("/")
    return resource, what


def _order(order: Thing) -> Said:
    """An edit that names no lines is told in full by `orders/updated`."""
    if not isinstance(order.get("line_items"), list):
        return []
    since = required(moment(order.get("updated_at")) or moment(order.get("created_at")), "updated_at")
    placed = moment(order.get("processed_at")) or moment(order.get("created_at"))
    head = {
        **_who(order),
        "at": written(placed),
        "paid": "yes" if text(order.get("financial_status")) in PAID else "no",
        "order_total": first(order, "total_price"),
        "currency": first(order, "currency"),
        "checkout_id": first(order, "checkout_id"),
        **_came(first(order, "landing_site")),
    }
    refunds = {ref: each for refund in items(order.get("refunds")) for ref, each in _back(refund).items()}
    paid_back = {each.get("line_id") for each in refunds.values()}
    kept = [
        each for each in items(order["line_items"]) if not _taken_out(each) or first(each, "id") in paid_back
    ]
    lines = [_line(each) for each in kept] or _unlisted(order)
    cancelled = written(moment(order.get("cancelled_at"))) or None  # once and for all, says Shopify
    return [OfOrder(needed(order, "id"), since, filled(head), lines, refunds, cancelled=cancelled)]


def _who(order: Thing) -> Fields:
    customer = part(order, "customer")
    email = first(order, "email", "contact_email") or first(customer, "email")
    return filled({"email": email, "shop_id": first(customer, "id")})


def _came(landing: str) -> Fields:
    try:
        asked = parse_qs(urlsplit(landing).query)
    except ValueError:
        return {}
    return {name: asked.get(f"utm_{name}", [""])[0] for name in ("source", "medium", "campaign")}


def _line(line: Thing) -> Fields:
    allocated = [_number(each.get("amount")) for each in items(line.get("discount_allocations"))]
    off = sum(allocated, Decimal()) if allocated else _number(line.get("total_discount"))
    amount = _number(line.get("price")) * _number(line.get("quantity", 1)) - off
    return filled({
        "line_id": first(line, "id"),
        "sku": first(line, "sku", "variant_id", "product_id") or (TIP if part(line, "tip") else CUSTOM),
        "quantity": first(line, "quantity"),
        "amount": f"{amount:f}",
    })  # fmt: skip


def _taken_out(line: Thing) -> bool:
    """By an edit, or sent back: it stays in the list, with the quantity that it had."""
    return line.get("current_quantity") == 0


def _unlisted(order: Thing) -> Sequence[Fields]:
    """An order may cost something, and name no line."""
    total = first(order, "total_price")
    return [{"sku": CUSTOM, "amount": total}] if _number(total) else []


def _refund(refund: Thing) -> Said:
    ref = needed(refund, "order_id")
    back = _back(refund)
    since = required(moment(refund.get("created_at")), "created_at")
    return [OfOrder(ref, since, refunds=back)] if back else []


def _back(refund: Thing) -> Mapping[str, Fields]:
    """What went back for each line, and the rest; where that does not add up, the sum for the whole order."""
    done = [
        _money(each, "amount")
        for each in items(refund.get("transactions"))
        if text(each.get("kind")) == "refund" and text(each.get("status")) == "success"
    ]
    paid, number = sum((amount for amount, _ in done), Decimal()), needed(refund, "id")
    currency = _one_of({code for _, code in done if code})
    at = required(moment(refund.get("processed_at")) or moment(refund.get("created_at")), "created_at")
    lines = [_line_back(each) for each in items(refund.get("refund_line_items"))]
    of_lines = sum((amount for _, amount, _ in lines), Decimal())
    if of_lines > paid or {code for _, _, code in lines} - {"", currency}:
        lines, of_lines = [], Decimal()
    found = {
        f"{number}/{line}": {"line_id": line, "amount": f"{amount:f}"}
        for line, amount, _ in lines
        if amount > 0
    }
    rest = {number: {"amount": f"{paid - of_lines:f}"}} if paid > of_lines else {}
    return {ref: filled({**each, "at": at, "currency": currency}) for ref, each in {**found, **rest}.items()}


def _dispute(dispute: Thing) -> Said:
    """A chargeback takes the money at once, an inquiry takes none, and what is won comes back.

    Nothing says when a word of it was said: of those without an end the one that goes furthest holds.
    """
    if not first(dispute, "order_id"):
        msg = "it is of no order"
        raise NotWanted(msg)
    status, charged_back = text(dispute.get("status")), text(dispute.get("type")) == "chargeback"
    at = required(moment(dispute.get("initiated_at")), "initiated_at")
    gone = {
        "at": at,
        "amount": needed(dispute, "amount"),
        "currency": first(dispute, "currency"),
        APART: "yes",
    }
    if not charged_back or status not in (*OPEN, *LOST):
        gone[VOID] = "yes"
    said = moment(dispute.get("finalized_on")) or datetime.fromisoformat(at)
    since = said + timedelta(microseconds=(status not in OPEN) + 2 * charged_back)
    return [
        OfOrder(
            needed(dispute, "order_id"), written(since), refunds={f"dispute-{needed(dispute, 'id')}": gone}
        )
    ]


def _line_back(each: Thing) -> tuple[str, Decimal, str]:
    told, currency = _money(each, "subtotal")
    price = _number(part(each, "line_item").get("price"))
    return first(each, "line_item_id"), told or price * _number(each.get("quantity")), currency


def _money(thing: Thing, name: str) -> tuple[Decimal, str]:
    """An amount with its currency: that of the shop, where it is told beside what the customer saw."""
    ours = part(thing, f"{name}_set", "shop_money")
    amount = _number(ours["amount"] if "amount" in ours else thing.get(name))
    return amount, first(ours, "currency_code") or first(thing, "currency")


def _one_of(currencies: set[str]) -> str:
    if len(currencies) > 1:
        msg = "money went back in several currencies at once"
        raise NotUnderstood(msg)
    return next(iter(currencies), "")


def _customer(customer: Thing) -> Said:
    """Also a yes or no to marketing, where it says since when."""
    since = required(moment(customer.get("updated_at")), "updated_at")
    who = filled({"email": first(customer, "email"), "shop_id": needed(customer, "id")})
    fields = {
        **who,
        "first_name": first(customer, "first_name"),
        "last_name": first(customer, "last_name"),
        "country": first(part(customer, "default_address"), "country_code"),
        "attribute.tags": first(customer, "tags"),
        "known_at": written(moment(customer.get("created_at"))),
        "updated_at": since,
    }
    return [Fact("customers", filled(fields)), *_consent(customer, who)]


def _consent(customer: Thing, who: Fields) -> Sequence[Fact]:
    state = part(customer, "email_marketing_consent")
    granted = {"subscribed": "yes", "unsubscribed": "no"}.get(text(state.get("state")), "")
    at = moment(state.get("consent_updated_at"))
    if not state:
        granted, at = (
            text(customer.get("accepts_marketing")),
            moment(customer.get("accepts_marketing_updated_at")),
        )
    said = {**who, "granted": granted, "at": written(at), "source": NAME}
    return [Fact("consent", said)] if granted and at else []


def _checkout(checkout: Thing) -> Said:
    at = required(moment(checkout.get("created_at")), "created_at")
    fields = {**_who(checkout), "what": "checkout_started", "at": at, "checkout_id": needed(checkout, "id")}
    came = _came(first(checkout, "landing_site"))
    return [Fact("funnel", filled({**fields, **came}))]


def _number(said: Any) -> Decimal:
    try:
        number = Decimal(text(said) or 0)
    except InvalidOperation as error:
        msg = "an amount is no number"
        raise NotUnderstood(msg) from error
    return number if number.is_finite() else Decimal()


KINDS: Mapping[str, Callable[[Thing], Said]] = {
    "orders": _order,
    "refunds": _refund,
    "disputes": _dispute,
    "customers": _customer,
    "checkouts": _checkout,
}
SOURCE = Hook(NAME, "shopify_webhook", _read, _believes, _events, is_test=_is_test)
