"""Addresses that get nothing more, by all that was ever told of them.

A mailbox that is not there, a complaint or a wish to hear no more counts from the first time, for good. An
address that mail after mail could not reach is given up as well, until a mail arrives there: what is told
late of an earlier delivery sets that right. Whatever a person or an import wrote down stays, unless it is
outweighed for good. Once somebody has let an address in again, only what happens later counts.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, false, func, or_, select

from engine.delivery.receivers.sendgrid import A_WISH, ON_ITS_LISTS
from engine.facts.batches import batched
from engine.facts.mail_events import Kind
from engine.facts.suppression import ANY, BOUNCED, COMPLAINED, UNREACHABLE, UNSUBSCRIBED, Cause, gravity
from engine.store.dialect import upsert
from engine.store.tables import lifts, mail_events, suppressions

REASONS: Mapping[str, str] = {
    Kind.BOUNCED: BOUNCED,
    Kind.REFUSED: BOUNCED,
    Kind.COMPLAINED: COMPLAINED,
    Kind.UNSUBSCRIBED: UNSUBSCRIBED,
}
DECISIVE = (*REASONS, Kind.SOFT_BOUNCE, Kind.DELIVERED, Kind.DROPPED)
DROPPED_FOR = case((mail_events.c.kind == Kind.DROPPED, func.lower(mail_events.c.detail)), else_="")


def stop_mailing(connection: Connection, customer_ids: Collection[int], limit: int, source: str) -> None:
    """Decide anew about the addresses of these customers; `limit` is how many soft bounces are too many."""
    causes = _causes(connection, customer_ids, limit)
    for hashes in batched(sorted(causes)):
        _write(connection, {each: causes[each] for each in hashes}, source)


def _causes(connection: Connection, customer_ids: Collection[int], limit: int) -> dict[str, Cause | None]:
    """The gravest cause for each address of which something decisive is known; None where there is none."""
    table = mail_events.c
    first, said = func.min(table.at, type_=table.at.type), DROPPED_FOR.label("said")
    causes: dict[str, list[Cause]] = defaultdict(list)
    for ids in batched(sorted(customer_ids)):
        theirs = (
            table.customer_id.in_(ids),
            table.kind.in_(DECISIVE),
            table.address_hash != "",
            _counts(table, or_(table.kind == Kind.UNSUBSCRIBED, DROPPED_FOR == A_WISH)),
        )
        asked = select(table.address_hash, table.kind, said, first).where(*theirs)
        for address, kind, why, at in connection.execute(
            asked.group_by(table.address_hash, table.kind, "said")
        ):
            reason = REASONS.get(kind) or ON_ITS_LISTS.get(why)
            causes[address] += [Cause(reason, at)] if reason else []
        for address, at in _unreachable(connection, ids, limit):
            causes[address].append(Cause(UNREACHABLE, at))
    return {address: max(found, key=_weight, default=None) for address, found in causes.items()}


def _weight(cause: Cause) -> int:
    return gravity(cause.reason)


def _unreachable(
    connection: Connection, customer_ids: Collection[int], limit: int
) -> Iterator[tuple[str, datetime]]:
    """Addresses with so many soft bounces since the last mail that arrived, and when the last one was."""
    soft, arrived = mail_events.alias("soft"), mail_events.alias("arrived")
    since = select(func.max(arrived.c.at)).where(
        arrived.c.customer_id == soft.c.customer_id,
        arrived.c.address_hash == soft.c.address_hash,
        arrived.c.kind == Kind.DELIVERED,
    )
    in_a_row = soft.c.at > func.coalesce(since.scalar_subquery(), 0)
    theirs = (
        soft.c.customer_id.in_(customer_ids),
        soft.c.kind == Kind.SOFT_BOUNCE,
        soft.c.address_hash != "",
        _counts(soft.c, false()),
        in_a_row,
    )
    last = func.max(soft.c.at, type_=soft.c.at.type)
    counted = select(soft.c.address_hash, last).where(*theirs).group_by(soft.c.address_hash)
    yield from ((row[0], row[1]) for row in connection.execute(counted.having(func.count() >= limit)))


def _counts(told: Any, wish: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQL: it happened after the address was last let in again. A reader takes back their own wish alone."""
    this = and_(wish, lifts.c.reason == UNSUBSCRIBED)
    since = select(func.max(lifts.c.at)).where(
        lifts.c.address_hash == told.address_hash, or_(lifts.c.reason == ANY, this)
    )
    counts: ColumnElement[bool] = told.at > func.coalesce(since.scalar_subquery(), 0)
    return counts


def _write(connection: Connection, causes: Mapping[str, Cause | None], source: str) -> None:
    asked = select(suppressions.c.address_hash, suppressions.c.reason, suppressions.c.source)
    known = {row[0]: row for row in connection.execute(asked.where(suppressions.c.address_hash.in_(causes)))}
    new = {
        address: cause
        for address, cause in causes.items()
        if cause is not None and _outweighs(cause, known.get(address), source)
    }
    passed = [a for a, row in known.items() if _is_passing(row, source) and causes[a] is None]
    connection.execute(delete(suppressions).where(suppressions.c.address_hash.in_(passed)))
    upsert(connection, suppressions, list(_rows(new, source)))


def _outweighs(cause: Cause, known: Any, source: str) -> bool:
    """What was written here before is written anew; anything else only where it is less grave."""
    if known is None:
        return True
    ahead = gravity(cause.reason) - gravity(known.reason)
    return ahead > 0 or (known.source == source and (ahead == 0 or _is_passing(known, source)))


def _is_passing(known: Any, source: str) -> bool:
    return bool(known.source == source and known.reason == UNREACHABLE)


def _rows(causes: Mapping[str, Cause], source: str) -> Iterable[dict[str, Any]]:
    for address, cause in sorted(causes.items()):
        yield {"address_hash": address, "reason": cause.reason, "at": cause.at, "source": source}
