"""Addresses that get nothing, whoever's they are. Only their hash is kept, so erasure leaves it in force."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, select, update

from engine.facts.batches import batched
from engine.store.dialect import insert_ignoring
from engine.store.tables import suppressions

UNSUBSCRIBED = "unsubscribed"  # wants no marketing; any other reason stops what is owed as well
BOUNCED = "bounced"  # there is no such mailbox
COMPLAINED = "complained"  # called it spam
UNREACHABLE = "unreachable"  # mail after mail could not be delivered; the only reason that may pass


def address_hash(email: str) -> str:
    """SHA-256, in hex, of an address in lower case."""
    return sha256(email.strip().lower().encode()).hexdigest()


def suppress(connection: Connection, address: str, reason: str, source: str, now: datetime) -> bool:
    """Never mail the address again. False where it was suppressed before.

    The first reason stays, unless the new one is graver: who unsubscribed may bounce or complain later.
    """
    if is_suppressed(connection, address):
        _graver(connection, address, reason, source)
        return False
    row = {"address_hash": address_hash(address), "reason": reason, "at": now, "source": source}
    insert_ignoring(connection, suppressions, [row])
    return True


def _graver(connection: Connection, address: str, reason: str, source: str) -> None:
    weaker = [known for known in (UNREACHABLE, UNSUBSCRIBED) if gravity(known) < gravity(reason)]
    this = (suppressions.c.address_hash == address_hash(address), suppressions.c.reason.in_(weaker))
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
