"""What a provider told of a mail settles its fate, where nobody else could tell.

The provider tells of a mail because it took it, so it has left, and is never sent again, even if a person
believed that it had not. One that it dropped at once never reached anybody: it is rejected, with the reason.
Where both are told, it has left, whichever comes first. A drop is of one attempt, and says nothing of a later
one. A mail whose lease still runs is its owner's, who asks once more before it leaves.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, bindparam, func, or_, select, update

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
MISTAKEN = (Status.SCHEDULED, Status.REJECTED)  # where it was believed that the mail had not left
LONGEST_ERROR = 400


def settle(store: Store, now: datetime) -> dict[Status, int]:
    """Settle every mail of unknown fate that something was told of; how many ended how."""
    with store.reading() as connection:
        told = _told(Kind).is_not(None)
        if connection.execute(select(*ATTEMPT).where(_is_open(connection), told).limit(1)).first() is None:
            return {}
    with store.writing() as connection:
        accepted = _settle(connection, LEFT, Status.ACCEPTED, now)
        rejected = _settle(connection, (Kind.DROPPED,), Status.REJECTED, now)
    return {Status.ACCEPTED: accepted, Status.REJECTED: rejected}


def settle_told(connection: Connection, left: Iterable[str], dropped: Iterable[str], now: datetime) -> None:
    """Settle what was just told of mails whose fate was known already, by their ids.

    One that waits to be tried again, or was rejected, is accepted where it left. One that was rejected for a
    drop says of several what it would have said, had they been told in any other order.
    """
    for origin in MISTAKEN:
        move(origin, Status.ACCEPTED)
    before = unindexed(messages.c.status).in_([status.value for status in MISTAKEN])
    for ids in batched(sorted(set(left))):
        change = update(messages).where(messages.c.message_id.in_(ids), before, messages.c.attempt > 0)
        settled = change.values(status=Status.ACCEPTED.value, error=None, settled_at=now)
        owners = connection.scalars(settled.returning(messages.c.customer_id))
        note_changes(connection, owners.all(), IdFactory())
    for ids in batched(sorted(set(dropped))):
        rejected = and_(messages.c.message_id.in_(ids), unindexed(messages.c.status) == Status.REJECTED)
        told = _said(connection, (Kind.DROPPED,), rejected)
        why = {attempt: {"why": _dropped(said)} for attempt, said in told.items()}
        apply(connection, change_row(stands(Status.REJECTED)).values(error=bindparam("why")), why)


def have_left(connection: Connection, tried: Collection[Attempt]) -> set[Attempt]:
    """Those of the mails of which it is told that they have left."""
    if not tried:
        return set()
    ids = [attempt.key.message_id for attempt in tried]
    told = _told(LEFT).is_not(None)
    rows = connection.execute(select(*ATTEMPT).where(messages.c.message_id.in_(ids), told))
    return set(attempts(rows)) & set(tried)


def _settle(connection: Connection, kinds: Iterable[Kind], target: Status, now: datetime) -> int:
    for origin in OPEN:
        move(origin, target)
    change = change_row(_is_open(connection)).values(
        status=target.value, error=bindparam("why"), lease_until=None, settled_at=now
    )
    told = _said(connection, kinds, _is_open(connection))
    why = {
        attempt: {"why": _dropped(said) if target is Status.REJECTED else None}
        for attempt, said in told.items()
    }
    note_changes(connection, (attempt.key.customer_id for attempt in told), IdFactory())
    return apply(connection, change, why)


def _dropped(said: str) -> str:
    return f"dropped by the provider: {said or 'it told no reason'}"[:LONGEST_ERROR]


def _said(connection: Connection, kinds: Iterable[Kind], which: ColumnElement[bool]) -> dict[Attempt, str]:
    """Those of the mails that one of these things was told of, as attempts, and what was said."""
    words = _told(kinds)
    rows = connection.execute(select(*ATTEMPT, words).where(which, words.is_not(None))).all()
    return dict(zip(attempts(row[:-1] for row in rows), (row[-1] for row in rows), strict=True))


def _told(kinds: Iterable[Kind]) -> ScalarSelect[Any]:
    """What was said, if one of these things was told of a row of `messages`; the last by the alphabet.

    That it was dropped must be told of its last attempt, or of no certain one while there was but one.
    """
    told = mail_events.c
    merged = select(customer_aliases.c.merged_into).where(
        customer_aliases.c.customer_id == messages.c.customer_id
    )
    owner = func.coalesce(merged.scalar_subquery(), messages.c.customer_id)
    only_one = and_(told.attempt == 0, messages.c.attempt <= 1)
    of_it = or_(told.kind != Kind.DROPPED, told.attempt == messages.c.attempt, only_one)
    theirs = (told.customer_id == owner, told.message_id == messages.c.message_id)
    said = select(func.max(told.detail)).where(*theirs, told.kind.in_(tuple(kinds)), of_it)
    return said.scalar_subquery()


def _is_open(connection: Connection) -> ColumnElement[bool]:
    over = and_(stands(Status.SENDING), messages.c.lease_until <= database_now(connection))
    return or_(stands(Status.UNKNOWN), over)
