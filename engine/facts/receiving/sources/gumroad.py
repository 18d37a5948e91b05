"""Gumroad's ping: sales, and that one was refunded. It is not signed: the address holds the secret."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from engine.facts.receiving.parts import filled, first, major, moment, part, required
from engine.facts.receiving.saying import NotUnderstood, NotWanted, OfOrder, Said
from engine.facts.receiving.sources.source import Events, Hook, Posted, by_address

NAME = "gumroad"
PAID_IN = "USD"  # whatever the price tag is in, which `currency` tells
OF_SUBSCRIPTIONS = ("cancellation", "subscription_updated", "subscription_ended", "subscription_restarted")


def _events(posted: Posted) -> Events:
    """It is a form, or JSON where the seller chose so; what it says last of a thing counts."""
    if posted.body.lstrip().startswith(b"{"):
        return [(None, json.loads(posted.body))]
    fields = dict(parse_qsl(posted.body.decode(), strict_parsing=True, max_num_fields=500))
    return [(None, fields)]


def _read(event: Any, received_at: datetime) -> Said:
    sale = part(event)
    if first(sale, "resource_name") in OF_SUBSCRIPTIONS:
        msg = "it is of a subscription, whose payments are sales of their own"
        raise NotWanted(msg)
    if _is(sale, "is_preorder_authorization"):
        return []
    number, cents = first(sale, "sale_id"), first(sale, "price")
    if not number or not cents.isascii() or not cents.isdigit():
        msg = "sale_id or price is missing"
        raise NotUnderstood(msg)
    amount = major(int(cents[:15]), PAID_IN)
    buyer = first(sale, "purchaser_id")
    head = {
        "email": first(sale, "email"),
        "anonymous_id": f"{NAME}:{buyer}" if buyer else "",
        "paid": "yes",
        "order_total": amount,
        "currency": PAID_IN,
    }
    page = first(sale, "product_permalink").rstrip("/").rpartition("/")[2]
    sku = first(sale, "permalink") or page or first(sale, "short_product_id", "product_id")
    lines = [filled({"sku": sku, "quantity": first(sale, "quantity"), "amount": amount})]
    back = {"refund": {"at": received_at.isoformat()}} if _is(sale, "refunded") else {}
    since = required(moment(first(sale, "sale_timestamp")), "sale_timestamp")
    return [OfOrder(f"{NAME}-{number}", since, filled(head), lines, back)]


def _is(sale: Any, name: str) -> bool:
    """As a form tells it, or JSON."""
    return first(sale, name) in ("true", "yes")


def _is_test(event: Any) -> bool:
    """A seller who buys a product of their own."""
    return _is(part(event), "test")


SOURCE = Hook(NAME, "gumroad_webhook", _read, by_address, _events, is_test=_is_test)
