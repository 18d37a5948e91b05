"""Thinkific: what learners started, progressed in and completed, and orders, by its webhooks."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.facts.receiving.parts import filled, first, items, moment, part, required, text
from engine.facts.receiving.saying import Fact, Fields, OfOrder, Said
from engine.facts.receiving.sources.source import Events, Hook, Posted, digest, same

NAME = "thinkific"
Thing = Mapping[str, Any]


def _believes(posted: Posted, secret: str, _: datetime) -> bool:
    return same(posted.header("X-Thinkific-Hmac-Sha256"), digest(posted.body, secret).hex())


def _events(posted: Posted) -> Events:
    event = json.loads(posted.body)
    return [(event.get("id") if isinstance(event, dict) else None, event)]


def _read(event: Any, _: datetime) -> Said:
    said = part(event)
    payload, at = part(said, "payload"), required(moment(said.get("created_at")), "created_at")
    what = (text(said.get("resource")), text(said.get("action")))
    user = part(payload, "user")
    who = filled({"email": first(user, "email"), "anonymous_id": _named(first(user, "id"))})
    sku = first(part(payload, "course"), "id") or first(payload, "course_id")
    use = {**who, "sku": sku, "at": at}
    if what == ("lesson", "completed"):
        unit = first(part(payload, "lesson"), "id")
        return [_person(user, who, at), Fact("consumption", {**use, "unit": unit, "kind": "completed"})]
    if what == ("enrollment", "progress"):
        done = first(payload, "percentage_completed")
        return [_person(user, who, at), Fact("consumption", {**use, "kind": "progressed", "progress": done})]
    if what == ("enrollment", "completed"):
        return [_person(user, who, at), Fact("consumption", {**use, "kind": "completed"})]
    if what == ("order", "created"):
        return [_person(user, who, at), _order(payload, who, at)]
    return [_person(user, who, at)] if what[0] in ("enrollment", "user") and who else []


def _named(number: str) -> str:
    return f"{NAME}:{number}" if number else ""


def _person(user: Thing, who: Fields, at: str) -> Fact:
    names = {name: first(user, name) for name in ("first_name", "last_name")}
    return Fact("customers", filled({**who, **names, "known_at": at, "updated_at": at}))


def _order(order: Thing, who: Fields, at: str) -> OfOrder:
    head = {**who, "paid": "yes" if text(order.get("status")) == "Complete" else "no"}
    head["order_total"] = first(order, "amount_dollars")
    lines = [
        {"sku": first(each, "product_id"), "amount": first(each, "amount_dollars")}
        for each in items(order.get("items")) or [order]
    ]
    placed = moment(order.get("created_at"))
    if placed:
        head["at"] = placed.isoformat()
    return OfOrder(f"{NAME}-{first(order, 'id')}", at, filled(head), lines)


SOURCE = Hook(NAME, "thinkific_webhook", _read, _believes, _events)
