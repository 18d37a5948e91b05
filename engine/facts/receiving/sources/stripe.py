"""Stripe: payments, what went back of them, invoices and subscriptions, by the events of a webhook endpoint.

A payment and the checkout session behind it are one order, under the number of the payment. A payment that
names no product is of the product `stripe` until something that names one is told.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.clock import EPOCH
from engine.facts.receiving.parts import (
    filled,
    first,
    items,
    major,
    needed,
    part,
    required,
    seconds,
    text,
    written,
)
from engine.facts.receiving.saying import APART, VOID, Fact, Fields, NotUnderstood, OfOrder, Said
from engine.facts.receiving.sources.source import Events, Hook, Posted

NAME = "stripe"
UNNAMED = "stripe"  # the product of a payment that names none
OLDEST = timedelta(minutes=5)  # since it was signed, either way; each repetition is signed anew
OF_INVOICES = ("Subscription ", "Payment for Invoice")  # how Stripe describes what pays an invoice
STATUS = {
    "active": "active",
    "trialing": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "paused": "past_due",
    "canceled": "expired",
}
REFUNDS = (
    "pending",
    "requires_action",
    "succeeded",
    "failed",
    "canceled",
)  # of one second the last one holds
GONE = ("needs_response", "under_review", "lost")  # disputes that took the money; inquiries take none
STANDINGS = ("active", "past_due", "cancelled", "expired")
BEFORE = "previous_attributes"
WHOLE = (
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
)  # told without minor units
THOUSANDTHS = ("BHD", "JOD", "KWD", "OMR", "TND")
Thing = Mapping[str, Any]


def _believes(posted: Posted, secret: str, now: datetime) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature  # noqa: PLC0415 - it is slow to load

    header = posted.header("Stripe-Signature")
    try:
        WebhookSignature.verify_header(posted.body.decode(), header, secret)
    except (SignatureVerificationError, ValueError, TypeError):  # the latter of bytes that are no text
        return False
    signed = next(each for each in header.split(",") if each.startswith("t="))  # the first, as it is verified
    return abs((now - EPOCH) - timedelta(seconds=int(signed.removeprefix("t=")))) <= OLDEST


def _events(posted: Posted) -> Events:
    event = json.loads(posted.body)
    return [(event.get("id") if isinstance(event, dict) else None, event)]


def _read(event: Any, _: datetime) -> Said:
    said = part(event)
    make = KINDS.get(text(said.get("type")))
    if make is None:
        return []
    at = seconds(said.get("created"))
    if at is None:
        msg = "created is no time"
        raise NotUnderstood(msg)
    data = part(said, "data")
    return make({**part(data, "object"), BEFORE: data.get(BEFORE)}, at)


def _is_test(event: Any) -> bool:
    """Stripe's test mode, and its sandboxes."""
    return part(event).get("livemode") is False


def _major(minor: Any, currency: str) -> str:
    """Stripe tells all but a few currencies in hundredths, also those that have no hundredths any more."""
    code = currency.upper()
    return major(minor, currency, 0 if code in WHOLE else 3 if code in THOUSANDTHS else 2)


def _who(thing: Thing, *addresses: str) -> Fields:
    customer = thing.get("customer")
    ref = text(customer) or first(part(customer), "id")
    email = next(filter(None, addresses), "")
    return filled({"email": email, "anonymous_id": f"{NAME}:{ref}" if ref else ""})


def _sku(thing: Thing) -> str:
    """What the shop itself wrote beside it."""
    return first(part(thing, "metadata"), "sku", "product")


def _of_price(price: Thing) -> str:
    product = price.get("product")
    named = _sku(price) or _sku(part(product)) or first(price, "lookup_key")
    return named or text(product) or first(part(product), "id")


def _session(session: Thing, at: datetime) -> Said:
    details = part(session, "customer_details")
    who = _who(session, first(details, "email"), first(session, "customer_email"))
    known = {"known_at": written(at), "country": first(part(details, "address"), "country")}
    told: list[Fact | OfOrder] = [Fact("customers", filled({**who, **known}))] if who else []
    if text(session.get("mode")) != "payment":
        return told
    currency, total = (
        first(session, "currency"),
        _major(session.get("amount_total"), first(session, "currency")),
    )
    lines = [_bought(each, currency) for each in items(part(session, "line_items").get("data"))]
    named = [{"sku": _sku(session), "amount": total}] if _sku(session) else None
    head = {
        **who,
        "order_total": total,
        "currency": currency,
        "checkout_id": first(session, "id"),
        "paid": "no" if text(session.get("payment_status")) == "unpaid" else "yes",
    }
    ref = first(session, "payment_intent") or needed(session, "id")
    return [*told, OfOrder(ref, written(at), filled(head), lines or named, guess=_unnamed(total))]


def _bought(line: Thing, currency: str) -> Fields:
    price = part(line, "price") or part(line, "pricing", "price_details")
    amount = line.get("amount_total", line.get("amount"))
    sku = _sku(line) or _of_price(price) or UNNAMED
    return filled({
        "sku": sku,
        "quantity": text(line.get("quantity") or 1),
        "amount": _major(amount, currency),
        "line_id": first(line, "id"),
    })  # fmt: skip


def _unnamed(total: str) -> Sequence[Fields] | None:
    return [{"sku": UNNAMED, "amount": total}] if total else None


def _payment(payment: Thing, at: datetime) -> Said:
    """A charge or a payment intent. What pays an invoice is told by the invoice."""
    if payment.get("invoice") or text(payment.get("description")).startswith(OF_INVOICES):
        return []
    if payment.get("captured") is False:
        return []
    currency = first(payment, "currency")
    paid = next((payment[name] for name in ("amount_captured", "amount_received") if payment.get(name)), None)
    total = _major(paid if paid is not None else payment.get("amount"), currency)
    billing = part(payment, "billing_details")
    head = {
        **_who(payment, first(billing, "email"), first(payment, "receipt_email")),
        "order_total": total,
        "currency": currency,
        "paid": "yes",
    }
    lines = [{"sku": _sku(payment), "amount": total}] if _sku(payment) else None
    return [OfOrder(_payment_ref(payment), written(at), filled(head), lines, guess=_unnamed(total))]


def _payment_ref(thing: Thing) -> str:
    return first(thing, "payment_intent", "charge") or needed(thing, "id")


def _refund(refund: Thing, at: datetime) -> Said:
    """Only one that succeeded is one, and no longer where it failed after that."""
    status = text(refund.get("status"))
    if status not in REFUNDS:
        return []
    currency = first(refund, "currency")
    when = written(seconds(refund.get("created")) or at)
    back = {"at": when, "amount": _major(refund.get("amount"), currency), "currency": currency}
    if status != "succeeded":
        back[VOID] = "yes"
    since = at + timedelta(microseconds=REFUNDS.index(status))
    return [OfOrder(_payment_ref(refund), written(since), refunds={needed(refund, "id"): back})]


def _refunded(charge: Thing, at: datetime) -> Said:
    """Newer versions name no refunds here, but how much went back by all of them so far."""
    if isinstance(listed := part(charge, "refunds").get("data"), list):
        return [each for refund in items(listed) for each in _refund(refund, at)]
    currency = first(charge, "currency")
    amount = _major(charge.get("amount_refunded"), currency)
    if not amount:
        msg = "amount_refunded is missing"
        raise NotUnderstood(msg)
    back = {"at": written(at), "amount": amount, "currency": currency}
    return [OfOrder(_payment_ref(charge), written(at), returned=back)]


def _dispute(dispute: Thing, at: datetime) -> Said:
    """A chargeback takes the money at once. What is won comes back, and so may a part of what is lost."""
    status, currency, minor = text(dispute.get("status")), first(dispute, "currency"), dispute.get("amount")
    if not isinstance(minor, int):
        msg = "amount is missing"
        raise NotUnderstood(msg)
    back = sum(_came_back(each, currency) for each in items(dispute.get("balance_transactions")))
    gone = {
        "at": written(seconds(dispute.get("created")) or at),
        "amount": _major(max(minor - back, 0), currency),
        "currency": currency,
        APART: "yes",
    }
    if status not in GONE or back >= minor:
        gone[VOID] = "yes"
    since = at + timedelta(microseconds=0 if status.endswith(("response", "review")) else 1)
    return [OfOrder(_payment_ref(dispute), written(since), refunds={needed(dispute, "id"): gone})]


def _reinstated(dispute: Thing, at: datetime) -> Said:
    """Where nothing says how much came back, all of it did."""
    moved = items(dispute.get("balance_transactions"))
    if not any(_came_back(each, first(dispute, "currency")) for each in moved):
        dispute = {**dispute, "status": "won"}
    return _dispute(dispute, at)


def _came_back(moved: Thing, currency: str) -> int:
    """Of what moved for a dispute, in its own currency: what was taken stands there below zero."""
    amount = moved.get("amount")
    return max(amount, 0) if isinstance(amount, int) and first(moved, "currency") == currency else 0


def _invoice(invoice: Thing, at: datetime) -> Said:
    currency, total = (
        first(invoice, "currency"),
        _major(invoice.get("amount_paid"), first(invoice, "currency")),
    )
    lines = [_bought(each, currency) for each in items(part(invoice, "lines").get("data"))]
    if any(Decimal(line.get("amount") or 0) < 0 for line in lines):  # a change in the middle of a period
        kept = [line["sku"] for line in lines if Decimal(line.get("amount") or 0) > 0]
        lines = [{"sku": kept[0], "amount": total}] if kept else []
    head = {
        **_who(invoice, first(invoice, "customer_email")),
        "order_total": total,
        "currency": currency,
        "paid": "yes",
        "at": written(seconds(part(invoice, "status_transitions").get("paid_at"))),
    }
    payments = items(part(invoice, "payments").get("data"))
    paid_by = [first(part(each, "payment"), "payment_intent") for each in payments]
    ref = first(invoice, "payment_intent") or next(filter(None, paid_by), "") or needed(invoice, "id")
    return [OfOrder(ref, written(at), filled(head), lines or None)]


def _invoice_payment(payment: Thing, at: datetime) -> Said:
    """By which payment an invoice was paid: what goes back names the payment alone."""
    ref, invoice = first(part(payment, "payment"), "payment_intent", "charge"), first(payment, "invoice")
    return [OfOrder(ref, written(at), same_as=invoice)] if ref and invoice else []


def _subscription(subscription: Thing, at: datetime) -> Said:
    """Each item is one to its product. Of several words in one second the one that goes furthest holds."""
    status = STATUS.get(text(subscription.get("status")), "")
    if not status:
        return []
    ref = needed(subscription, "id")
    now = _numbered(ref, items(part(subscription, "items").get("data")) or [{}])
    ends = seconds(subscription.get("ended_at")) or seconds(subscription.get("cancel_at"))
    stopping = subscription.get("cancel_at_period_end") is True or subscription.get("cancel_at") is not None
    if status == "active" and stopping:
        status = "cancelled"
    since = at + timedelta(microseconds=STANDINGS.index(status))
    if ends and ends < since:
        ends = None

    def stands(number: str, item: Thing) -> Fact:
        until = seconds(subscription.get("current_period_end", item.get("current_period_end")))
        return _standing(subscription, number, item, {
            "at": written(since),
            "status": status,
            "renews_at": written(until) if status in ("active", "past_due") else "",
            "ends_at": written(ends or (until if status == "cancelled" else None)),
        })  # fmt: skip

    return [*(stands(*each) for each in now.items()), *_left(subscription, now, at)]


def _left(subscription: Thing, now: Mapping[str, Thing], at: datetime) -> Iterator[Fact]:
    """Items that were taken out: what had a number that nothing has any more has run out."""
    before = items(part(subscription, BEFORE, "items").get("data"))
    kept = {first(each, "id") for each in now.values()}
    gone = {
        ref: each for ref, each in _numbered(needed(subscription, "id"), before).items() if ref not in now
    }
    out = [each for each in before if first(each, "id") not in kept]
    of_another = iter(each for each in out if each not in gone.values())
    since = written(at + timedelta(microseconds=STANDINGS.index("expired")))
    for ref, item in gone.items():
        which = item if item in out else next(of_another, item)  # it has the number of one that is out
        yield _standing(subscription, ref, which, {"at": since, "status": "expired", "ends_at": since})


def _numbered(ref: str, listed: Sequence[Thing]) -> dict[str, Thing]:
    """The oldest item has the number of the subscription, so that a single one has no other."""
    oldest = sorted(listed, key=lambda each: (seconds(each.get("created")) or EPOCH, first(each, "id")))
    return {f"{ref}/{first(each, 'id')}" if n else ref: each for n, each in enumerate(oldest)}


def _standing(subscription: Thing, number: str, item: Thing, fields: Fields) -> Fact:
    whole = number == first(subscription, "id")
    sku = (whole and _sku(subscription)) or _sku(item) or _of_price(part(item, "price")) or UNNAMED
    who = _who(subscription)
    return Fact("subscriptions", filled({**who, "subscription_id": number, "sku": sku, **fields}))


def _customer(customer: Thing, at: datetime) -> Said:
    locales = customer.get("preferred_locales")
    return [Fact("customers", filled({
        "email": first(customer, "email"),
        "anonymous_id": f"{NAME}:{needed(customer, 'id')}",
        "country": first(part(customer, "address"), "country"),
        "locale": text(locales[0]) if isinstance(locales, list) and locales else "",
        "known_at": required(at, "created"),
        "updated_at": written(at),
    }))]  # fmt: skip


KINDS: Mapping[str, Callable[[Thing, datetime], Said]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "charge.succeeded": _payment,
    "charge.captured": _payment,
    "payment_intent.succeeded": _payment,
    "charge.refunded": _refunded,
    "charge.refund.updated": _refund,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    **{f"charge.dispute.{what}": _dispute
       for what in ("created", "updated", "funds_withdrawn", "closed")},
    "charge.dispute.funds_reinstated": _reinstated,
    "invoice.paid": _invoice,
    "invoice.payment_succeeded": _invoice,
    "invoice_payment.paid": _invoice_payment,
    "customer.created": _customer,
    "customer.updated": _customer,
    **{f"customer.subscription.{what}": _subscription
       for what in ("created", "updated", "deleted", "paused", "resumed")},
}  # fmt: skip
SOURCE = Hook(NAME, "stripe_webhook", _read, _believes, _events, is_test=_is_test)
