"""Addresses that get nothing more, by all that was ever told of them.

A mailbox that is not there, a complaint or a wish to hear no more counts from the first time, for good. An
address that mail after mail could not reach is given up as well, until a mail arrives there: what is told
late of an earlier delivery sets that right. Whatever a person or an import wrote down stays, unless it is
outweighed for good. Once somebody has let an address in again, only what happens later counts.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, delete, false, func, or_, select

from engine.delivery.receivers import sendgrid, smtp
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
TELLING = (sendgrid.SOURCE, smtp.SOURCE)  # whose events these are
DROPPED_FOR = case((mail_events.c.kind == Kind.DROPPED, func.lower(mail_events.c.detail)), else_="")


class Finding(NamedTuple):
    """A cause, and who told it."""

    cause: Cause
    source: str


def stop_mailing(connection: Connection, customer_ids: Collection[int], limit: int) -> None:
    """Decide anew about the addresses of these customers; `limit` is how many soft bounces are too many."""
    found = _findings(connection, customer_ids, limit)
    for hashes in batched(sorted(found)):
        _write(connection, {each: found[each] for each in hashes})


def _findings(connection: Connection, customer_ids: Collection[int], limit: int) -> dict[str, Finding | None]:
    """The gravest one for each address of which something decisive is known; None where there is none."""
    table = mail_events.c
    first, said = func.min(table.at, type_=table.at.type), DROPPED_FOR.label("said")
    found: dict[str, list[Finding]] = defaultdict(list)
    for ids in batched(sorted(customer_ids)):
        theirs = (
            table.customer_id.in_(ids),
            table.kind.in_(DECISIVE),
            table.address_hash != "",
            _counts(table, or_(table.kind == Kind.UNSUBSCRIBED, DROPPED_FOR == A_WISH)),
        )
        asked = select(table.address_hash, table.kind, said, table.source, first).where(*theirs)
        for address, kind, why, source, at in connection.execute(
            asked.group_by(table.address_hash, table.kind, "said", table.source)
        ):
            reason = REASONS.get(kind) or ON_ITS_LISTS.get(why)
            found[address] += [Finding(Cause(reason, at), source)] if reason else []
        for address, (at, source) in _unreachable(connection, ids, limit).items():
            found[address].append(Finding(Cause(UNREACHABLE, at), source))
    return {address: min(each, key=_first, default=None) for address, each in found.items()}


def _first(found: Finding) -> tuple[int, datetime, str]:
    """The gravest comes first, then the earliest, whoever told it and when."""
    return -gravity(found.cause.reason), found.cause.at, found.source


def _unreachable(
    connection: Connection, customer_ids: Collection[int], limit: int
) -> dict[str, tuple[datetime, str]]:
    """Addresses with so many soft bounces since the last mail that arrived: the last one, and who told it."""
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
    counted = select(soft.c.address_hash, soft.c.source, func.count(), last).where(*theirs)
    number: Counter[str] = Counter()
    ends: dict[str, tuple[datetime, str]] = {}
    for address, source, many, at in connection.execute(counted.group_by(soft.c.address_hash, soft.c.source)):
        number[address] += many
        ends[address] = max(ends.get(address, (at, source)), (at, source))
    return {address: end for address, end in ends.items() if number[address] >= limit}


def _counts(told: Any, wish: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQL: it happened after the address was last let in again. A reader takes back their own wish alone."""
    this = and_(wish, lifts.c.reason == UNSUBSCRIBED)
    since = select(func.max(lifts.c.at)).where(
        lifts.c.address_hash == told.address_hash, or_(lifts.c.reason == ANY, this)
    )
    counts: ColumnElement[bool] = told.at > func.coalesce(since.scalar_subquery(), 0)
    return counts


def _write(connection: Connection, found: Mapping[str, Finding | None]) -> None:
    asked = select(suppressions.c.address_hash, suppressions.c.reason, suppressions.c.source)
    known = {row[0]: row for row in connection.execute(asked.where(suppressions.c.address_hash.in_(found)))}
    new = {
        address: finding
        for address, finding in found.items()
        if finding is not None and _outweighs(finding.cause, known.get(address))
    }
    passed = [a for a, row in known.items() if _is_passing(row) and found[a] is None]
    connection.execute(delete(suppressions).where(suppressions.c.address_hash.in_(passed)))
    upsert(connection, suppressions, list(_rows(new)))


def _outweighs(cause: Cause, known: Any) -> bool:
    """What was told before is written anew; what anybody else wrote only where it is less grave."""
    if known is None:
        return True
    ahead = gravity(cause.reason) - gravity(known.reason)
    return ahead > 0 or (known.source in TELLING and (ahead == 0 or _is_passing(known)))


def _is_passing(known: Any) -> bool:
    return bool(known.source in TELLING and known.reason == UNREACHABLE)


def _rows(found: Mapping[str, Finding]) -> Iterable[dict[str, Any]]:
    for address, (cause, source) in sorted(found.items()):
        yield {"address_hash": address, "reason": cause.reason, "at": cause.at, "source": source}
