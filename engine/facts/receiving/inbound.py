"""What others told, kept word for word before it is looked at: each event once, by its id.

What cannot be understood is parked with the reason, and never stands in the way of the rest.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, func, select, update

from engine.store.connect import Store
from engine.store.dialect import insert_ignoring
from engine.store.tables import inbound

LONGEST_ID = 100
LONGEST_ERROR = 400
APPLIED, IGNORED, PARKED = "applied", "ignored", "parked"
AGAIN = "again"  # of one that waits, and was looked at before
NOBODY = "nobody"  # of somebody without a name, such as who paid cash at a till
TEST = "test"  # of no real sale, by its sender's own word
ASIDE = (NOBODY, TEST)


class Told(NamedTuple):
    """One event as it is kept."""

    source: str
    event_id: str
    received_at: datetime
    body: str


class Verdict(NamedTuple):
    """What was made of one event."""

    outcome: str
    error: str | None = None


def keep(store: Store, source: str, id_key: str, body: str, now: datetime) -> int:
    """Keep all the events of a message; how many that are, those kept before included."""
    return keep_events(store, source, named(body, id_key), now)


def keep_events(store: Store, source: str, events: Iterable[tuple[Any, Any]], now: datetime) -> int:
    """Keep events, each with its own id where it has one; they are safe on the disk when this returns."""
    told = as_told(source, events, now)
    with store.writing() as connection:
        keep_new(connection, told)
    return len(told)


def as_told(source: str, events: Iterable[tuple[Any, Any]], now: datetime) -> list[Told]:
    """The events as they are kept."""
    return [Told(source, _id(own, event), now, _written(event)) for own, event in events]


def keep_new(connection: Connection, told: Iterable[Told]) -> None:
    """Keep those that were not kept before."""
    insert_ignoring(connection, inbound, [each._asdict() for each in sorted(told)])


def named(body: str, id_key: str) -> list[tuple[Any, Any]]:
    """The events of a message, each with its own id where it has one under that key."""
    return [(_named(event, id_key), event) for event in events_of(body)]


def events_of(body: str) -> Sequence[Any]:
    """What cannot be read is one event as a whole: it is parked later, and nothing is lost."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return [body]
    return told if isinstance(told, list) else [told]


def _written(event: Any) -> str:
    return json.dumps(event, sort_keys=True)  # in ASCII: no character that a database refuses


def _named(event: Any, key: str) -> Any:
    return event.get(key) if isinstance(event, Mapping) else None


def _id(own: Any, event: Any) -> str:
    """Its own id; where it has none that can be kept, one that follows from what it says."""
    if isinstance(own, str) and own.isascii() and own.isprintable() and 0 < len(own) <= LONGEST_ID:
        return own
    return f"sha256:{sha256(_written(event).encode()).hexdigest()}"


def waiting(connection: Connection, sources: Collection[str], most: int) -> list[Told]:
    """Those of these sources that nobody has looked at, the oldest first."""
    columns = (inbound.c.source, inbound.c.event_id, inbound.c.received_at, inbound.c.body)
    rows = select(*columns).where(inbound.c.applied_at.is_(None), inbound.c.source.in_(sorted(sources)))
    ordered = rows.order_by(inbound.c.received_at, inbound.c.source, inbound.c.event_id)
    return [Told(*row) for row in connection.execute(ordered.limit(most))]


def again(connection: Connection, told: Collection[Told]) -> list[Told]:
    """Those of them that were looked at before."""
    marked = select(inbound.c.source, inbound.c.event_id).where(inbound.c.outcome == AGAIN)
    theirs = marked.where(inbound.c.event_id.in_([each.event_id for each in told]))
    found = {(row[0], row[1]) for row in connection.execute(theirs)}
    return [each for each in told if (each.source, each.event_id) in found]


def mark(connection: Connection, verdicts: Mapping[Told, Verdict], now: datetime) -> None:
    """They have been looked at."""
    this = and_(inbound.c.source == bindparam("its_source"), inbound.c.event_id == bindparam("its_id"))
    change = (
        update(inbound).where(this).values(applied_at=now, outcome=bindparam("what"), error=bindparam("why"))
    )
    rows = [
        {
            "its_source": told.source,
            "its_id": told.event_id,
            "what": verdict.outcome,
            "why": verdict.error[:LONGEST_ERROR] if verdict.error else None,
        }
        for told, verdict in sorted(verdicts.items())
    ]
    if rows:
        connection.execute(change, rows)


def counts(connection: Connection) -> dict[str, int]:
    """How many wait, and how many are parked."""
    found = select(func.count()).select_from(inbound)
    return {
        "waiting": connection.scalar(found.where(inbound.c.applied_at.is_(None))) or 0,
        PARKED: connection.scalar(found.where(inbound.c.outcome == PARKED)) or 0,
    }


def put_aside(connection: Connection, sources: Collection[str]) -> dict[str, int]:
    """How many events of these sources are no mistake, and no facts: of nobody, or tests."""
    theirs = (inbound.c.outcome.in_(ASIDE), inbound.c.source.in_(sorted(sources)))
    asked = select(inbound.c.outcome, func.count()).where(*theirs).group_by(inbound.c.outcome)
    return dict.fromkeys(ASIDE, 0) | {row[0]: row[1] for row in connection.execute(asked)}


def forget_words(connection: Connection, before: datetime) -> int:
    """What was told by then, and applied, is kept by its id alone. How many events that is."""
    old = and_(inbound.c.received_at < before, inbound.c.applied_at.is_not(None), inbound.c.body != "")
    return connection.execute(update(inbound).where(old).values(body="")).rowcount


def batches(store: Store, sources: Collection[str], size: int) -> Iterator[list[Told]]:
    """All of these sources that waits, in parts. Each must be marked before the next is asked for."""
    while part := _part(store, sources, size):
        yield part


def _part(store: Store, sources: Collection[str], size: int) -> list[Told]:
    with store.reading() as connection:
        return waiting(connection, sources, size)
