"""A sorter for more rows than memory holds: in a private file that vanishes when it is closed.

The rows of one person come out together, and all rows of one order, wherever they stood in the file.
"""

import marshal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby, islice
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from engine.facts.batches import batched

R = TypeVar("R", bound=tuple[Any, ...])
_MEMORY = -16_384  # KiB of cache; beyond it SQLite sorts on disk

MOST_BUNDLED = 20_000

_BY_PERSON = "SELECT data FROM staged ORDER BY person, line"
# the rows of a bundle may name their person in different ways, or not at all: the least name places them all
_BY_BUNDLE = """
    SELECT data FROM (
        SELECT data, bundle, moment, line, min(nullif(person, '')) OVER (PARTITION BY bundle) AS first
        FROM staged
    ) ORDER BY first, bundle, moment, line
"""


class Staging(Generic[R]):
    """Rows wait here from the reading of a file to its landing in the store."""

    def __init__(self, restore: Callable[[Iterable[Any]], R], bundle: Callable[[R], str] | None) -> None:
        """`bundle` says what rows must have in common to stay together; None = each stands for itself."""
        self._restore = restore
        self._bundle = bundle
        self._database = sqlite3.connect("", isolation_level=None)  # '' = a file of its own, without a name
        for statement in (
            f"PRAGMA cache_size={_MEMORY}",
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "CREATE TABLE staged (person TEXT, bundle TEXT, moment INTEGER, line INTEGER, data BLOB)",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._database.close()

    def fill(self, rows: Iterable[tuple[str, int, R]]) -> int:
        """Take all rows, each with its person and its moment; says how many there were."""
        bundle = self._bundle or (lambda _: "")
        staged = (
            (person, bundle(row), moment, row[-1][0], marshal.dumps(tuple(row)))
            for person, moment, row in rows
        )
        return self._database.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?)", staged).rowcount

    def chunks(self, least: int, too_many: Callable[[R], None]) -> Iterator[list[R]]:
        """Every row again, in lists of at least so many but the last, no bundle cut.

        The rows of a bundle larger than MOST_BUNDLED go to `too_many` instead.
        """
        if self._bundle is None:
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

    def _rows(self, query: str) -> Iterator[R]:
        for (data,) in self._database.execute(query):
            yield self._restore(marshal.loads(data))  # noqa: S302 - our own bytes, in a file only we can reach
