"""Nothing has happened later than it was told: a clock that is fast makes no facts of a time to come."""

from dataclasses import replace
from datetime import datetime

from engine.facts.receiving.saying import Fact, Fields, OfOrder, Said

HAPPENED = ("at", "known_at", "updated_at")  # other instants, such as that of a renewal, may be to come


def not_later(said: Said, received_at: datetime) -> Said:
    """What an event says, at the latest of when it came."""
    return [
        _of_order(each, received_at) if isinstance(each, OfOrder) else _fact(each, received_at)
        for each in said
    ]


def _fact(fact: Fact, received_at: datetime) -> Fact:
    return Fact(fact.kind, _fields(fact.fields, received_at))


def _of_order(of: OfOrder, received_at: datetime) -> OfOrder:
    return replace(
        of,
        since=_at(of.since, received_at),
        head=_fields(of.head, received_at),
        refunds={ref: _fields(fields, received_at) for ref, fields in of.refunds.items()},
        returned=_fields(of.returned, received_at),
        cancelled=_at(of.cancelled, received_at) if of.cancelled else of.cancelled,
    )


def _fields(fields: Fields, received_at: datetime) -> Fields:
    early = {name: _at(fields[name], received_at) for name in HAPPENED if fields.get(name)}
    return {**fields, **early}


def _at(said: str, received_at: datetime) -> str:
    return min(datetime.fromisoformat(said), received_at).isoformat()
