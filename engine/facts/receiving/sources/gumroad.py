"""Gumroad's ping: sales, and that one was refunded. It is not signed: the address holds the secret."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from engine.facts.receiving.parts import filled, first, major, moment, part, required
from engine.facts.receiving.saying import NotUnderstood, OfOrder, Said
from engine.facts.receiving.sources.source import Events, Hook, Posted, by_address

NAME = "gumroad"
CENTS = "USD"


def _events(posted: Posted) -> Events:
    """It is a form; what it says last of a thing counts."""
    fields = dict(parse_qsl(posted.body.decode(), strict_parsing=True, max_num_fields=500))
    return [(None, fields)]


def _read(event: Any, received_at: datetime) -> Said:
    sale = part(event)
    if first(sale, "test") == "true":
        return []
    number, cents = first(sale, "sale_id"), first(sale, "price")
    if not number or not cents.isascii() or not cents.isdigit():
        msg = "sale_id or price is missing"
        raise NotUnderstood(msg)
    currency = (first(sale, "currency") or CENTS).upper()
    amount = major(int(cents[:15]), currency)
    buyer = first(sale, "purchaser_id")
    head = {
        "email": first(sale, "email"),
        "anonymous_id": f"{NAME}:{buyer}" if buyer else "",
        "paid": "yes",
        "order_total": amount,
        "currency": currency,
    }
    page = first(sale, "product_permalink").rstrip("/").rpartition("/")[2]
    sku = first(sale, "permalink") or page or first(sale, "short_product_id", "product_id")
    lines = [filled({"sku": sku, "quantity": first(sale, "quantity"), "amount": amount})]
    back = {"refund": {"at": received_at.isoformat()}} if first(sale, "refunded") == "true" else {}
    since = required(moment(first(sale, "sale_timestamp")), "sale_timestamp")
    return [OfOrder(f"{NAME}-{number}", since, filled(head), lines, back)]


SOURCE = Hook(NAME, "gumroad_webhook", _read, by_address, _events)
