"""Many new rows at once, handed to the driver as they are.

To make a dictionary of each row, and to walk it column by column, costs more than the insert itself.
Here the statement is compiled once, and a row is a tuple of plain values in the order of the table's
columns: instants as microseconds, money as minor units.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect, Table, bindparam, delete, type_coerce

from engine.store.types import Instant

Values = tuple[Any, ...]


def insert_plain(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert whole rows. Raises IntegrityError where a key is taken."""
    if rows:
        statement, positional = _insert(table, connection.dialect)
        names = table.columns.keys()
        given = list(rows) if positional else [dict(zip(names, row, strict=True)) for row in rows]
        connection.exec_driver_sql(statement, given)


@cache
def _insert(table: Table, dialect: Dialect) -> tuple[str, bool]:
    """The statement, and whether its values are told by their places."""
    compiled = table.insert().compile(dialect=dialect, column_keys=table.columns.keys())
    return str(compiled), bool(compiled.positional)


def as_kept(column: Any) -> Any:
    """The column with instants as they are kept: datetimes for millions of rows would take minutes."""
    return type_coerce(column, BigInteger) if isinstance(column.type, Instant) else column


def remove(connection: Connection, table: Table, names: Sequence[str], keys: Iterable[Values]) -> None:
    """Delete the rows that have one of these values in the columns so named; in order of the values."""
    olds = [f"old_{name}" for name in names]
    rows = [dict(zip(olds, key, strict=True)) for key in sorted(keys)]
    if rows:
        same = [table.c[name] == bindparam(old) for name, old in zip(names, olds, strict=True)]
        connection.execute(delete(table).where(*same), rows)
