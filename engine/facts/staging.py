"""A sorter for more rows than memory holds: in a private file that vanishes when it is closed.

The rows of one person come out together, and all rows of one order, wherever they stood in the file.
"""

import marshal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby, islice
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from engine.errors import ImportFailed
from engine.facts.batches import batched
from engine.facts.importers.importer import Importer

R = TypeVar("R", bound=Any)
MOST_BUNDLED = 20_000
_MEMORY = -16_384  # KiB of cache; beyond it SQLite sorts on disk

# who is named in two ways comes first: after that either way leads to them
_BY_PERSON = "SELECT data FROM staged ORDER BY lone, person, line"
# the rows of a bundle may name their person in different ways, or not at all: the least name places them all
_BY_BUNDLE = """
    SELECT data FROM (
        SELECT data, bundle, moment, line, min(lone) OVER bundles AS lone,
            min(nullif(person, '')) OVER bundles AS person
        FROM staged WINDOW bundles AS (PARTITION BY bundle)
    ) ORDER BY lone, person, bundle, moment, line
"""


class Staging(Generic[R]):
    """Rows wait here from the reading of a file to its landing in the store."""

    def __init__(self, importer: Importer[R]) -> None:
        self._importer = importer
        self._bundle = importer.bundle or _no_bundle
        self._database = sqlite3.connect("", isolation_level=None)  # '' = a file of its own, without a name
        for statement in (
            f"PRAGMA cache_size={_MEMORY}",
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "CREATE TABLE staged (lone, person TEXT, bundle TEXT, moment INTEGER, line INTEGER, data BLOB)",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._database.close()

    def fill(self, rows: Iterable[R]) -> int:
        """Take all rows; says how many there were. Raises ImportFailed where the disk is full."""
        statement = "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?)"
        try:
            return self._database.executemany(statement, map(self._staged, rows)).rowcount
        except sqlite3.OperationalError as error:
            msg = f"the rows cannot be sorted: {error}"
            raise ImportFailed(msg, hint="is there room in the folder for temporary files?") from error

    def chunks(self, least: int, too_many: Callable[[R], None]) -> Iterator[list[R]]:
        """Every row again, in lists of at least so many but the last, no bundle cut.

        The rows of a bundle larger than MOST_BUNDLED go to `too_many` instead.
        """
        if self._importer.bundle is None:
            yield from batched(self._rows(_BY_PERSON), least)
            return
        chunk: list[R] = []
        for _, bundle in groupby(self._rows(_BY_BUNDLE), self._bundle):
            rows = list(islice(bundle, MOST_BUNDLED + 1))
            if len(rows) > MOST_BUNDLED:
                for row in chain(rows, bundle):
                    too_many(row)
                continue
            chunk += rows
            if len(chunk) >= least:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _staged(self, row: R) -> tuple[Any, ...]:
        email, shop_id = row.email, row.shop_id
        lone = not (email and shop_id)
        data = marshal.dumps(tuple(row))
        return lone, email or shop_id, self._bundle(row), self._importer.moment(row), row.place[0], data

    def _rows(self, query: str) -> Iterator[R]:
        for (data,) in self._database.execute(query):
            yield self._importer.restore(marshal.loads(data))  # noqa: S302 - our own bytes, in a file only we can reach


def _no_bundle(_: object) -> str:
    return ""
