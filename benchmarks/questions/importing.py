"""The import of orders against the bare insert of the rows it makes, into the same tables and indexes."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from benchmarks import child
from benchmarks.bench import Bench
from benchmarks.findings import Aim, Finding
from benchmarks.shop import Size
from engine.facts.importing import CHUNK
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from engine.store.tables import metadata, order_lines

AIM = Aim(2)
DATABASE = "aftersale.db"
Part = Sequence[tuple[str, Sequence[Any]]]  # statements, each with its rows


class Spent(NamedTuple):
    """Seconds on the wall, and of a processor."""

    wall: float
    processor: float

    def and_more(self, work: Callable[[], None]) -> "Spent":
        """With what this takes as well."""
        start, begun = time.perf_counter(), time.process_time()
        work()
        return Spent(self.wall + time.perf_counter() - start, self.processor + time.process_time() - begun)


def ask(bench: Bench) -> Iterator[Finding]:
    """A file of orders whose customers nobody knows yet, so that everything about them is inserted."""
    small = _import(bench, bench.small, "import-small")
    imports, inserts = [], []
    for _ in range(bench.long):
        imports.append(_import(bench, bench.large, "import-large"))
        inserts.append(_insert_the_same(bench.folder))
    lines, times = f"{bench.large.lines:,} order lines", f"median of {bench.long}"
    ours, theirs = (median(each) for each in ([i.seconds for i in imports], [i.wall for i in inserts]))
    yield Finding(f"import of {lines}", ours, "s", theirs, AIM, times)
    ours, theirs = (median(each) for each in ([i.processor for i in imports], [i.processor for i in inserts]))
    yield Finding("the same, processor time", ours, "s", theirs, note=times)
    peak = max(each.peak for each in imports)
    yield Finding(f"its memory, against {bench.small.lines:,} lines", peak, "MB", small.peak)


def _import(bench: Bench, size: Size, name: str) -> child.Ran:
    orders, folder = bench.files(size)["orders.csv"], bench.empty_project(name)
    bench.say(f"importing {size.lines:,} order lines")
    return child.run("import", str(orders), "--project", str(folder))


def _insert_the_same(folder: Path) -> Spent:
    """Insert what the import made into an empty database, in as many transactions, and close it.

    Every row counts, those of transactions and of the queue of changes too; to read them counts not.
    """
    target = Store(f"sqlite:///{DATABASE}", folder=folder)
    source = Store(f"sqlite:///{DATABASE}", folder=folder / "import-large")
    ensure_current(target)
    spent = Spent(0, 0)
    with source.reading() as rows:
        for part in _parts(rows):
            spent = spent.and_more(partial(_insert, target, part))
    spent = spent.and_more(target.close)
    source.close()
    for path in folder.glob(f"{DATABASE}*"):
        path.unlink()
    return spent


def _parts(rows: Connection) -> Iterator[Part]:
    """Every row of every table in the order of its insert, in as many parts as the import had chunks."""
    chunks = ceil((rows.scalar(select(func.count()).select_from(order_lines)) or 0) / CHUNK)
    tables = []
    for table in metadata.sorted_tables:
        count = rows.scalar(select(func.count()).select_from(table)) or 0
        if count:
            statement = f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.columns))})"
            found = iter(rows.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY rowid"))
            tables.append((statement, found, ceil(count / chunks)))
    for _ in range(chunks):
        yield [(statement, list(map(tuple, islice(found, size)))) for statement, found, size in tables]


def _insert(target: Store, part: Part) -> None:
    with target.writing() as connection:
        for statement, rows in part:
            if rows:
                connection.exec_driver_sql(statement, list(rows))
