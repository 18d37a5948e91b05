"""xAPI statements of a course player: what a learner started, progressed in, or completed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from engine.facts.receiving.parts import filled, first, items, moment, part, text
from engine.facts.receiving.saying import Fact, NotUnderstood, Said
from engine.facts.receiving.sources.source import Events, Source

NAME = "xapi"
VERBS = {
    "launched": "started",
    "initialized": "started",
    "attempted": "started",
    "progressed": "progressed",
    "completed": "completed",
    "passed": "completed",
    "mastered": "completed",
}
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"


def events(body: Any) -> Events:
    """The statements of a request, each with its id, made here where it has none. Raises ValueError."""
    statements = body if isinstance(body, list) else [body]
    if not all(isinstance(each, Mapping) for each in statements):
        msg = "a statement is no object"
        raise ValueError(msg)
    return [(text(each.get("id")) or _made_up(each), each) for each in statements]


def ids(events: Events) -> list[str]:
    """What a statement's sender is told in answer."""
    return [own for own, _ in events]


def _made_up(statement: Mapping[str, Any]) -> str:
    """The same for the same statement."""
    return str(uuid5(NAMESPACE_URL, json.dumps(statement, sort_keys=True)))


def _read(event: Any, received_at: datetime) -> Said:
    said = part(event)
    kind = VERBS.get(_last(first(part(said, "verb"), "id")))
    if kind is None:
        return []
    unit = _last(first(part(said, "object"), "id"))
    if not unit:
        msg = "object.id is missing"
        raise NotUnderstood(msg)
    activities = part(said, "context", "contextActivities")
    courses = [
        _last(first(each, "id")) for name in ("grouping", "parent") for each in _list(activities, name)
    ]
    sku = next(filter(None, courses), "")
    actor = part(said, "actor")
    fields = {
        "email": first(actor, "mbox").removeprefix("mailto:"),
        "shop_id": first(part(actor, "account"), "name"),
        "sku": sku or unit,
        "unit": unit if sku and sku != unit else "",
        "kind": kind,
        "at": (moment(said.get("timestamp")) or received_at).isoformat(),
        "progress": text(part(said, "result", "extensions").get(PROGRESS)),
    }
    return [Fact("consumption", filled(fields))]


def _list(activities: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """One activity may stand without its list."""
    found = activities.get(name)
    return [found] if isinstance(found, Mapping) else list(items(found))


def _last(iri: str) -> str:
    """The last part of an IRI's path: what a thing is called there."""
    try:
        path = urlsplit(iri).path
    except ValueError:
        return iri
    return (path or iri).rstrip("/").rpartition("/")[2] or iri


SOURCE = Source(NAME, "write_key", _read)
