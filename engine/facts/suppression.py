"""Addresses that get nothing, whoever's they are. Only their hash is kept, so erasure leaves it in force."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, select

from engine.facts.batches import batched
from engine.store.dialect import insert_ignoring
from engine.store.tables import suppressions


def address_hash(email: str) -> str:
    """SHA-256, in hex, of an address in lower case."""
    return sha256(email.strip().lower().encode()).hexdigest()


def suppress(connection: Connection, address: str, reason: str, source: str, now: datetime) -> bool:
    """Never mail the address again. False where it was suppressed before: the first reason stays."""
    if is_suppressed(connection, address):
        return False
    row = {"address_hash": address_hash(address), "reason": reason, "at": now, "source": source}
    insert_ignoring(connection, suppressions, [row])
    return True


def is_suppressed(connection: Connection, address: str) -> bool:
    """Whether the address gets nothing."""
    return bool(suppressed_among(connection, [address]))


def suppressed_among(connection: Connection, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses that get nothing."""
    hashes = {address: address_hash(address) for address in addresses}
    known: set[str] = set()
    for part in batched(set(hashes.values())):
        column = suppressions.c.address_hash
        known.update(connection.scalars(select(column).where(column.in_(part))))
    return {address for address, hashed in hashes.items() if hashed in known}
