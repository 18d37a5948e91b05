"""What a provider told of a mail settles its fate, where nobody else could tell.

The provider tells of a mail because it took it, so it has left, and is never sent again, even if a person
believed that it had not. One that it dropped at once never reached anybody: it is rejected, with the reason.
A mail whose lease still runs is its owner's, who asks once more before it leaves.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, update

from engine.delivery.rows import ATTEMPT, Attempt, apply, attempts, change_row, stands
from engine.delivery.states import Status, move
from engine.facts.batches import batched
from engine.facts.changes import note_changes
from engine.facts.mail_events import LEFT, Kind
from engine.store.connect import Store
from engine.store.dialect import database_now, unindexed
from engine.store.ids import IdFactory
from engine.store.tables import customer_aliases, mail_events, messages

OPEN = (Status.UNKNOWN, Status.SENDING)
LONGEST_ERROR = 400


def settle(store: Store, now: datetime) -> dict[Status, int]:
    """Settle every mail of unknown fate that something was told of; how many ended how."""
    with store.reading() as connection:
        if connection.execute(_proven(connection, Kind).limit(1)).first() is None:
            return {}
    with store.writing() as connection:
        accepted = _settle(connection, LEFT, Status.ACCEPTED, now)
        rejected = _settle(connection, (Kind.DROPPED,), Status.REJECTED, now)
    return {Status.ACCEPTED: accepted, Status.REJECTED: rejected}


def settle_waiting(connection: Connection, message_ids: Iterable[str], now: datetime) -> None:
    """Of these mails, of which it was told that they left, accept those that wait to be tried again."""
    _, accepted = move(Status.SCHEDULED, Status.ACCEPTED)
    waits = (unindexed(messages.c.status) == Status.SCHEDULED, messages.c.attempt > 0)
    for ids in batched(sorted(set(message_ids))):
        change = update(messages).where(messages.c.message_id.in_(ids), *waits)
        settled = change.values(status=accepted, error=None, settled_at=now)
        owners = connection.scalars(settled.returning(messages.c.customer_id))
        note_changes(connection, owners.all(), IdFactory())


def have_left(connection: Connection, tried: Collection[Attempt]) -> set[Attempt]:
    """Those of the mails of which it is told that they have left."""
    if not tried:
        return set()
    ids = [attempt.key.message_id for attempt in tried]
    told = _told(LEFT).scalar_subquery().is_not(None)
    rows = connection.execute(select(*ATTEMPT).where(messages.c.message_id.in_(ids), told))
    return set(attempts(rows)) & set(tried)


def _settle(connection: Connection, kinds: Iterable[Kind], target: Status, now: datetime) -> int:
    for origin in OPEN:
        move(origin, target)
    change = change_row(_is_open(connection)).values(
        status=target.value, error=bindparam("why"), lease_until=None, settled_at=now
    )
    rows = connection.execute(_proven(connection, kinds)).all()
    told = dict(zip(attempts(row[:-1] for row in rows), (row[-1] for row in rows), strict=True))
    why = {
        attempt: {"why": _dropped(said) if target is Status.REJECTED else None}
        for attempt, said in told.items()
    }
    note_changes(connection, (attempt.key.customer_id for attempt in told), IdFactory())
    return apply(connection, change, why)


def _dropped(said: str) -> str:
    return f"dropped by the provider: {said or 'it told no reason'}"[:LONGEST_ERROR]


def _proven(connection: Connection, kinds: Iterable[Kind]) -> Any:
    """The open mails that one of these things was told of, as attempts, and what was said."""
    words = _told(kinds).scalar_subquery()
    return select(*ATTEMPT, words).where(_is_open(connection), words.is_not(None))


def _told(kinds: Iterable[Kind]) -> Select[Any]:
    """What was said, if one of these things was told of a row of `messages`."""
    told = mail_events.c
    merged = select(customer_aliases.c.merged_into).where(
        customer_aliases.c.customer_id == messages.c.customer_id
    )
    owner = func.coalesce(merged.scalar_subquery(), messages.c.customer_id)
    return select(func.max(told.detail)).where(
        told.customer_id == owner, told.message_id == messages.c.message_id, told.kind.in_(tuple(kinds))
    )


def _is_open(connection: Connection) -> ColumnElement[bool]:
    over = and_(stands(Status.SENDING), messages.c.lease_until <= database_now(connection))
    return or_(stands(Status.UNKNOWN), over)
