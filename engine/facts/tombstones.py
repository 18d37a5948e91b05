"""Who was erased stays so: hashes of their names, by which an import passes them over.

The hashes are keyed with the shop's signing secret, so that who has the database alone cannot try names
out. One more row is a hash of nothing: it tells whether the secret is still the one they were made with.
A yes to a topic that was said after the erasure is new consent, and ends it.
"""

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import BigInteger, Connection, delete, func, select, type_coerce

from engine.errors import SettingsError
from engine.facts.batches import batched
from engine.facts.identity import NAMES
from engine.facts.model import ConsentRow
from engine.settings.model import SIGNING, Settings
from engine.store.dialect import insert_ignoring, upsert
from engine.store.tables import tombstones

Name = tuple[str, str]  # its kind, as identities have it, and its value
NOBODY = ("", "")


class Tomb(NamedTuple):
    """One erasure, and when it was, in microseconds."""

    erasure: str
    at: int


class Graveyard:
    """The tombstones of one shop."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.secrets.signing
        self._secret = secret.get_secret_value().encode() if secret else None

    def bury(self, connection: Connection, names: Iterable[Name], now: datetime) -> None:
        """Know these names of one person again. Raises SettingsError without the secret, or with another."""
        self._check(connection)
        erasure = uuid4().hex
        upsert(
            connection,
            tombstones,
            [{"name_hash": self._hash(name), "erasure": erasure, "at": now} for name in sorted(set(names))],
        )
        key = {"name_hash": self._hash(NOBODY), "erasure": "", "at": now}
        insert_ignoring(connection, tombstones, [key])

    def has(self, connection: Connection, names: Sequence[Name]) -> bool:
        """Whether somebody of one of these names was erased."""
        return _any(connection) and bool(self._tombs(connection, names))

    def sift(self, connection: Connection, rows: list[Any]) -> list[Any]:
        """The rows without those that name somebody who was erased. Raises SettingsError as above."""
        if not _any(connection):
            return rows
        named = {id(row): _names(row) for row in rows}
        tombs = self._tombs(connection, [name for names in named.values() for name in names])
        risen = {
            tomb.erasure
            for row in rows
            if isinstance(row, ConsentRow) and row.granted
            for tomb in (tombs[name] for name in named[id(row)] if name in tombs)
            if row.at > tomb.at
        }
        if risen:
            connection.execute(delete(tombstones).where(tombstones.c.erasure.in_(sorted(risen))))
        erased = {name for name, tomb in tombs.items() if tomb.erasure not in risen}
        return [row for row in rows if erased.isdisjoint(named[id(row)])]

    def _tombs(self, connection: Connection, names: Iterable[Name]) -> dict[Name, Tomb]:
        self._check(connection)
        hashes = {self._hash(name): name for name in set(names)}
        found: dict[Name, Tomb] = {}
        table = tombstones.c
        for part in batched(sorted(hashes)):
            asked = select(table.name_hash, table.erasure, type_coerce(table.at, BigInteger))
            for name_hash, erasure, at in connection.execute(asked.where(table.name_hash.in_(part))):
                found[hashes[name_hash]] = Tomb(erasure, at)
        return found

    def _check(self, connection: Connection) -> None:
        if self._secret is None:
            msg = f"without {SIGNING} nobody who was erased would be known again"
            raise SettingsError(
                msg, hint="set it to the text that it had, and for the first time to any long one"
            )
        mine = tombstones.c.name_hash == self._hash(NOBODY)
        if _any(connection) and not connection.scalar(select(func.count()).where(mine)):
            msg = f"{SIGNING} is not what it was when people were erased: they would not be known again"
            raise SettingsError(msg, hint="set it to the text that it had then")

    def _hash(self, name: Name) -> str:
        return hmac.new(self._secret or b"", "\0".join(("erased", *name)).encode(), sha256).hexdigest()


def _any(connection: Connection) -> bool:
    return connection.execute(select(tombstones.c.name_hash).limit(1)).first() is not None


def _names(row: Any) -> list[Name]:
    """The names of the person whom a row of facts speaks of; rates and products speak of nobody."""
    said = ((kind, getattr(row, kind, "")) for kind in NAMES)
    return [(kind, value) for kind, value in said if value]
