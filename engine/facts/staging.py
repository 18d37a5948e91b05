"""A sorter for more rows than memory holds: in a private file that vanishes when it is closed.

The rows of one person come out together, and all rows of one order, wherever they stood in the file.
"""

import marshal
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from engine.errors import ImportFailed
from engine.facts.batches import batched
from engine.facts.importers.importer import Importer

R = TypeVar("R", bound=Any)
MOST_BUNDLED = 20_000
_MEMORY = -16_384  # KiB of cache; beyond it SQLite sorts on disk

# who is named in two ways comes first: after that either way leads to them
_BY_PERSON = "SELECT bundle, data FROM staged ORDER BY lone, person, line"
# the rows of a bundle may name their person in different ways, or not at all: the least name places them all
_MIXED = """
    CREATE TABLE mixed AS SELECT bundle, min(lone) AS lone, min(person) AS person FROM staged GROUP BY bundle
    HAVING min(lone) < max(lone) OR min(person) < max(person) OR count(person) BETWEEN 1 AND count(*) - 1
"""
_BY_BUNDLE = """
    SELECT bundle, data FROM staged LEFT JOIN mixed USING (bundle)
    ORDER BY coalesce(mixed.lone, staged.lone), coalesce(mixed.person, staged.person), bundle, line
"""


class Staging(Generic[R]):
    """Rows wait here from the reading of a file to its landing in the store."""

    def __init__(self, importer: Importer[R]) -> None:
        self._importer = importer
        self._database = sqlite3.connect("", isolation_level=None)  # '' = a file of its own, without a name
        for statement in (
            f"PRAGMA cache_size={_MEMORY}",
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "CREATE TABLE staged (bundle TEXT, line INTEGER, lone INTEGER, person TEXT, data BLOB)",
            "CREATE TABLE spoiled (order_ref TEXT PRIMARY KEY) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._database.close()

    def fill(self, blocks: Iterable[Sequence[R]]) -> None:
        """Take all rows. Raises ImportFailed where the disk is full."""
        try:
            self._database.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?)", self._staged(blocks))
        except sqlite3.OperationalError as error:
            msg = f"the rows cannot be sorted: {error}"
            raise ImportFailed(msg, hint="is there room in the folder for temporary files?") from error

    def chunks(self, least: int, too_many: Callable[[R], None]) -> Iterator[list[R]]:
        """Every row again, in lists of at least so many but the last, no bundle cut.

        The rows of a bundle larger than MOST_BUNDLED go to `too_many` instead.
        """
        if self._importer.bundle is None:
            yield from batched(self._restored(self._database.execute(_BY_PERSON)), least)
            return
        self._database.execute(_MIXED)
        self._database.execute("CREATE UNIQUE INDEX mixed_bundles ON mixed (bundle)")
        chunk: list[R] = []
        for _, runs in groupby(self._database.execute(_BY_BUNDLE), itemgetter(0)):
            chunk += self._bundle(runs, too_many)
            if len(chunk) >= least:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _staged(self, blocks: Iterable[Sequence[R]]) -> Iterator[tuple[Any, ...]]:
        if self._importer.bundle is None:
            for row in chain.from_iterable(blocks):
                yield "", *self._place([row])
            return
        for rows in blocks:
            for bundle, together in groupby(rows, self._importer.bundle):
                yield bundle, *self._place(list(together))

    def _restored(self, runs: Iterable[tuple[str, bytes]]) -> Iterator[R]:
        for _, data in runs:
            # our own bytes, in a file only we can reach
            yield from map(self._importer.restore, marshal.loads(data))  # noqa: S302

    def _bundle(self, runs: Iterable[tuple[str, bytes]], too_many: Callable[[R], None]) -> list[R]:
        rows: list[R] = []
        over = False
        for _, data in runs:
            rows += map(self._importer.restore, marshal.loads(data))  # noqa: S302 - as above
            over = over or len(rows) > MOST_BUNDLED
            if over:
                for row in rows:
                    too_many(row)
                rows = []
        return rows

    def _place(self, run: list[Any]) -> tuple[int, bool, str | None, bytes]:
        """Where the rows of a run stand and whom they name, and the rows themselves."""
        lone, firsts = True, []
        for who in set(map(self._importer.who, run)):
            names = list(filter(None, who))
            firsts += names[:1]
            lone = lone and len(names) < 2
        return run[0].place[0], lone, min(firsts, default=None), marshal.dumps(list(map(tuple, run)))

    def spoil(self, order_ref: str) -> None:
        """Remember an order of which a row was rejected; '' is none."""
        if order_ref:
            self._database.execute("INSERT OR IGNORE INTO spoiled VALUES (?)", (order_ref,))

    def __contains__(self, order_ref: object) -> bool:
        """Whether a row of that order was rejected."""
        asked = self._database.execute("SELECT 1 FROM spoiled WHERE order_ref = ?", (order_ref,))
        return asked.fetchone() is not None
