"""Addresses that get nothing, whoever's they are. Only their hash is kept, so erasure leaves it in force."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from engine.facts.batches import batched
from engine.store.dialect import insert_ignoring, upsert
from engine.store.tables import lifts, suppressions

UNSUBSCRIBED = "unsubscribed"  # wants no marketing; any other reason stops what is owed as well
BOUNCED = "bounced"  # there is no such mailbox
COMPLAINED = "complained"  # called it spam
UNREACHABLE = "unreachable"  # mail after mail could not be delivered; the only reason that may pass

ANY = ""  # whatever the reason is


class Cause(NamedTuple):
    """Why an address gets nothing, and since when."""

    reason: str
    at: datetime


def address_hash(email: str) -> str:
    """SHA-256, in hex, of an address in lower case."""
    return sha256(email.strip().lower().encode()).hexdigest()


def suppress(connection: Connection, address: str, reason: str, source: str, now: datetime) -> bool:
    """Never mail the address again. False where it was suppressed before.

    The first reason stays, unless the new one is graver: who unsubscribed may bounce or complain later.
    """
    return bool(suppress_hashes(connection, {address_hash(address): Cause(reason, now)}, source))


def suppress_hashes(connection: Connection, causes: Mapping[str, Cause], source: str) -> set[str]:
    """The same for many at once, by the hash of each address; those that are new."""
    known = suppressed_hashes(connection, causes)
    new = sorted(causes.keys() - known)
    insert_ignoring(connection, suppressions, [_row(h, causes[h], source) for h in new])
    for hashed in sorted(known):
        _graver(connection, hashed, causes[hashed].reason, source)
    return set(new)


def suppressed_hashes(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes whose address gets nothing."""
    known: set[str] = set()
    for part in batched(sorted(hashes)):
        column = suppressions.c.address_hash
        known.update(connection.scalars(select(column).where(column.in_(part))))
    return known


def _row(hashed: str, cause: Cause, source: str) -> dict[str, object]:
    return {"address_hash": hashed, "reason": cause.reason, "at": cause.at, "source": source}


def suppression(connection: Connection, address: str) -> str | None:
    """Why the address gets nothing, where that is so."""
    asked = select(suppressions.c.reason).where(suppressions.c.address_hash == address_hash(address))
    return connection.scalar(asked)


def lift(connection: Connection, address: str, now: datetime, *, only: str = ANY) -> bool:
    """The address may get mail again. False where it was not suppressed, or not for `only` that reason.

    What a provider tells of before `now` is not held against it again, whenever it is told.
    """
    hashed = address_hash(address)
    upsert(connection, lifts, [{"address_hash": hashed, "reason": only, "at": now}])
    this = delete(suppressions).where(suppressions.c.address_hash == hashed)
    gone = this if only == ANY else this.where(suppressions.c.reason == only)
    return bool(connection.execute(gone).rowcount)


def _graver(connection: Connection, hashed: str, reason: str, source: str) -> None:
    weaker = [known for known in (UNREACHABLE, UNSUBSCRIBED) if gravity(known) < gravity(reason)]
    this = (suppressions.c.address_hash == hashed, suppressions.c.reason.in_(weaker))
    connection.execute(update(suppressions).where(*this).values(reason=reason, source=source))


def gravity(reason: str) -> int:
    """What may pass is the least; what a person wrote counts as much as that there is no such mailbox."""
    return {UNREACHABLE: 0, UNSUBSCRIBED: 1, COMPLAINED: 3}.get(reason, 2)


def is_suppressed(connection: Connection, address: str) -> bool:
    """Whether the address gets nothing."""
    return bool(suppressed_among(connection, [address]))


def suppressed_among(
    connection: Connection, addresses: Iterable[str], *, for_what_is_owed: bool = False
) -> set[str]:
    """Those of the addresses that get nothing, or not even what is owed."""
    hashes = {address: address_hash(address) for address in addresses}
    known: set[str] = set()
    for part in batched(set(hashes.values())):
        column = suppressions.c.address_hash
        listed = select(column).where(column.in_(part))
        grave = listed.where(suppressions.c.reason != UNSUBSCRIBED)
        known.update(connection.scalars(grave if for_what_is_owed else listed))
    return {address for address, hashed in hashes.items() if hashed in known}
