"""Stripe: payments, what went back of them, invoices and subscriptions, by the events of a webhook endpoint.

A payment and the checkout session behind it are one order, under the number of the payment. A payment that
names no product is of the product `stripe` until something that names one is told.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.clock import EPOCH
from engine.facts.receiving.parts import (
    filled,
    first,
    items,
    needed,
    part,
    required,
    seconds,
    text,
    written,
)
from engine.facts.receiving.saying import Fact, Fields, NotUnderstood, OfOrder, Said
from engine.facts.receiving.sources.source import Events, Hook, Posted
from engine.facts.receiving.sources.stripe_refunds import (
    read_dispute,
    read_refund,
    read_refunded,
    read_reinstated,
)
from engine.facts.receiving.sources.stripe_subscriptions import read_subscription
from engine.facts.receiving.sources.stripe_words import (
    BEFORE,
    NAME,
    UNNAMED,
    Thing,
    in_major,
    of_price,
    payment_ref,
    sku_of,
    who_is,
)

OLDEST = timedelta(minutes=5)  # since it was signed, either way; each repetition is signed anew
OF_INVOICES = ("Subscription ", "Payment for Invoice")  # how Stripe describes what pays an invoice


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


def _session(session: Thing, at: datetime) -> Said:
    details = part(session, "customer_details")
    who = who_is(session, first(details, "email"), first(session, "customer_email"))
    known = {"known_at": written(at), "country": first(part(details, "address"), "country")}
    told: list[Fact | OfOrder] = [Fact("customers", filled({**who, **known}))] if who else []
    if text(session.get("mode")) != "payment":
        return told
    currency, total = (
        first(session, "currency"),
        in_major(session.get("amount_total"), first(session, "currency")),
    )
    lines = [_bought(each, currency) for each in items(part(session, "line_items").get("data"))]
    named = [{"sku": sku_of(session), "amount": total}] if sku_of(session) else None
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
    sku = sku_of(line) or of_price(price) or UNNAMED
    return filled({
        "sku": sku,
        "quantity": text(line.get("quantity") or 1),
        "amount": in_major(amount, currency),
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
    total = in_major(paid if paid is not None else payment.get("amount"), currency)
    billing = part(payment, "billing_details")
    head = {
        **who_is(payment, first(billing, "email"), first(payment, "receipt_email")),
        "order_total": total,
        "currency": currency,
        "paid": "yes",
    }
    lines = [{"sku": sku_of(payment), "amount": total}] if sku_of(payment) else None
    return [OfOrder(payment_ref(payment), written(at), filled(head), lines, guess=_unnamed(total))]


def _invoice(invoice: Thing, at: datetime) -> Said:
    currency, total = (
        first(invoice, "currency"),
        in_major(invoice.get("amount_paid"), first(invoice, "currency")),
    )
    lines = [_bought(each, currency) for each in items(part(invoice, "lines").get("data"))]
    if any(Decimal(line.get("amount") or 0) < 0 for line in lines):  # a change in the middle of a period
        kept = [line["sku"] for line in lines if Decimal(line.get("amount") or 0) > 0]
        lines = [{"sku": kept[0], "amount": total}] if kept else []
    head = {
        **who_is(invoice, first(invoice, "customer_email")),
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
    "charge.refunded": read_refunded,
    "charge.refund.updated": read_refund,
    "refund.created": read_refund,
    "refund.updated": read_refund,
    "refund.failed": read_refund,
    **{f"charge.dispute.{what}": read_dispute
       for what in ("created", "updated", "funds_withdrawn", "closed")},
    "charge.dispute.funds_reinstated": read_reinstated,
    "invoice.paid": _invoice,
    "invoice.payment_succeeded": _invoice,
    "invoice_payment.paid": _invoice_payment,
    "customer.created": _customer,
    "customer.updated": _customer,
    **{f"customer.subscription.{what}": read_subscription
       for what in ("created", "updated", "deleted", "paused", "resumed")},
}  # fmt: skip
SOURCE = Hook(NAME, "stripe_webhook", _read, _believes, _events, is_test=_is_test)
