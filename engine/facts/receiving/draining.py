"""Brings what was spooled into the database, file by file, and removes the files once that is committed.

Whoever finds something does it: it does no harm twice, and nothing in it is lost where a process dies.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from engine.errors import StoreError
from engine.facts.receiving.inbound import keep_new
from engine.facts.receiving.spool import Tray, read, remove
from engine.store.connect import Store

Then = Callable[[Connection], None]


class Drained(NamedTuple):
    """How many events were brought in, and how many lines were torn; files that could not be read."""

    events: int = 0
    torn: int = 0
    unread: int = 0

    def __str__(self) -> str:
        return f"{self.torn:,} torn lines of what was told are dropped: they were never acknowledged"

    def and_also(self, other: "Drained") -> "Drained":
        return Drained(*map(sum, zip(self, other, strict=True)))


def drain(store: Store, tray: Tray, then: Then, *, within: int | None = None) -> Drained:
    """Bring in all that waits there now; `then` follows in each transaction. Raises StoreError."""
    done = Drained()
    for path in tray.take():
        done = done.and_also(bring_in(store, path, then, within=within))
    return done


def bring_in(store: Store, path: Path, then: Then = lambda _: None, *, within: int | None = None) -> Drained:
    """One file that was taken. What cannot be read stays, and holds up no other. Raises StoreError."""
    try:
        lines = read(path)
    except StoreError:
        return Drained(unread=1)
    if lines is None:
        return Drained()
    if lines.told:
        with store.writing(within=within) as connection:
            keep_new(connection, lines.told)
            then(connection)
    remove(path)
    return Drained(len(lines.told), lines.torn)
