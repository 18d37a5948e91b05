"""What differs between SQLite and PostgreSQL, each difference once.

- one `upsert`, and one `insert_new` that counts with RETURNING (psycopg's rowcount is -1 there);
- `insert_from_select`, for which SQLite needs `WHERE true` before ON CONFLICT;
- `memory_table` and `lay_out`, temporary tables that nobody else sees and that need no write to the database;
- `unindexed`, a column by which no rows shall be looked up;
- `one_by_one`, where PostgreSQL shall look up each customer, and not read whole tables;
- `array_length`, of the JSON in a text;
- `database_now`, the time of the database;
- `overwrite_what_is_deleted`, so that nothing of it can be found in the file;
- `let_go_when_frozen`, so that a frozen process does not hold what it locked for ever.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Dialect,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    exists,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable, Index
from sqlalchemy.sql.functions import GenericFunction, ReturnTypeFromArgs

from engine.clock import EPOCH, MICROSECOND

Rows = Select[*tuple[Any, ...]]
Sets = CompoundSelect[*tuple[Any, ...]]


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def insert(dialect: Dialect, table: Table) -> postgresql.Insert | sqlite.Insert:
    """INSERT with ON CONFLICT, in either dialect."""
    return sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows; where the primary key is taken, the new values win."""
    if not rows:
        return
    statement = insert(connection.dialect, table)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows))


def insert_ignoring(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows; where the primary key is taken, the old row stays."""
    if rows:
        connection.execute(insert(connection.dialect, table).on_conflict_do_nothing(), list(rows))


def insert_from_select(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    source: Rows,
    update: Iterable[str] | None = None,
) -> int:
    """INSERT … SELECT … ON CONFLICT; says how many rows it wrote.

    Without `update` a taken key keeps its old row; with it, those columns get the new values.
    """
    statement = insert(connection.dialect, table).from_select(columns, source.where(true()))
    keys = [column.name for column in table.primary_key]
    if update is None:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        changes = {name: statement.excluded[name] for name in update}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changes)
    written = connection.execute(statement.returning(literal(1)))
    return sum(len(part) for part in written.partitions(10_000))


def memory_table(name: str, columns: Sequence[Column[Any]], *indexes: Sequence[str]) -> Table:
    """The definition of a temporary table. Define it once: its statements are then compiled once."""
    table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])
    for number, names in enumerate(indexes):
        Index(f"{name}_{number}", *(table.c[column] for column in names))
    return table


def memory_twin(original: Table) -> Table:
    """The definition of a temporary table with the columns and indexes of another."""
    columns = [
        Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable, default=c.default)
        for c in original.columns
    ]
    indexes = [[column.name for column in index.columns] for index in original.indexes]
    return memory_table(f"twin_{original.name}", columns, *indexes)


def lay_out(connection: Connection, *tables: Table) -> None:
    """Make the temporary tables in this connection, empty; nobody else sees them."""
    schema = "temp" if is_sqlite(connection) else "pg_temp"
    for table in tables:
        connection.execute(text(f"DROP TABLE IF EXISTS {schema}.{table.name}"))
        connection.execute(CreateTable(table))
        for index in table.indexes:
            index.create(connection)


def gather_statistics(connection: Connection, table: Table) -> None:
    """Let the database count a temporary table. SQLite plans without, and would write them down."""
    if not is_sqlite(connection):
        connection.execute(text(f"ANALYZE pg_temp.{table.name}"))


# a look-up is to cost what it does where the tables are in memory, and no way around it is to be taken
LOOKING_UP = {"enable_hashjoin": "off", "enable_mergejoin": "off", "random_page_cost": "1.1"}


@contextmanager
def one_by_one(connection: Connection) -> Iterator[None]:
    """What is asked in it is looked up by index for each of a few customers.

    PostgreSQL reads a whole product's sales rather than ask a thousand customers for theirs, since it
    takes every look-up for one of the disk; what it would read grows with the shop.
    """
    if is_sqlite(connection):
        yield
        return
    for setting, value in LOOKING_UP.items():
        connection.execute(text(f"SET LOCAL {setting} = {value}"))
    yield
    for setting in LOOKING_UP:
        connection.execute(text(f"SET LOCAL {setting} TO DEFAULT"))


def database_now(connection: Connection) -> datetime:
    """What time it is for the database, to the microsecond where it knows it."""
    if is_sqlite(connection):  # in the same process, so its time is this machine's
        return datetime.now(UTC)
    micros = connection.scalar(select(text("(extract(epoch from clock_timestamp()) * 1000000)::bigint")))
    return EPOCH + int(micros or 0) * MICROSECOND


def overwrite_what_is_deleted(connection: Connection) -> None:
    """In this connection SQLite writes zeros over what it deletes. PostgreSQL has no such thing."""
    if is_sqlite(connection):
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def let_go_when_frozen(connection: Connection, after: timedelta) -> None:
    """In this transaction: a process that says nothing for so long loses it, and others go on.

    SQLite knows no such thing; there the file is free again when the process dies.
    """
    if not is_sqlite(connection):
        milliseconds = int(after.total_seconds() * 1000)
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}"))


def among(
    dialect: str, customer_id: Column[int], who: Rows | Sets, *, one_by_one: bool
) -> ColumnElement[bool]:
    """Whether a customer is among those that `who` selects (its first column is their id).

    For everybody at once SQLite is quickest with an uncorrelated IN, PostgreSQL with EXISTS over a
    derived table, which it turns into a semi-join, and its negation into an anti-join. For a few
    candidates, `one_by_one`, both look each of them up by index.
    """
    if one_by_one and isinstance(who, Select):
        return exists(who.where(who.selected_columns[0] == customer_id))
    if dialect == "sqlite":
        return customer_id.in_(who)
    found = who.subquery()
    return exists(select(literal(1)).select_from(found).where(found.c[0] == customer_id))


class unindexed(ReturnTypeFromArgs[Any]):  # noqa: N801 - SQL functions are written small
    """SQL: the column itself, by which no rows shall be looked up.

    SQLite takes the index of `status = 'active'` for a good one, though nearly every row is found
    by it. PostgreSQL would rather read the runs of fifty campaigns than ask for those of a thousand
    customers; only a text is kept from it, for by numbers it counts well.
    """

    inherit_cache = True


@compiles(unindexed)
def _bare(element: unindexed, compiler: Any, **kwargs: Any) -> str:
    return str(compiler.process(element.clauses.clauses[0], **kwargs))


@compiles(unindexed, "postgresql")
def _and_nothing(element: unindexed, compiler: Any, **kwargs: Any) -> str:
    bare = _bare(element, compiler, **kwargs)
    return f"({bare} || '')" if isinstance(element.clauses.clauses[0].type, String) else bare


@compiles(unindexed, "sqlite")
def _plus(element: unindexed, compiler: Any, **kwargs: Any) -> str:
    return f"+{compiler.process(element.clauses.clauses[0], **kwargs)}"


class array_length(GenericFunction[int]):  # noqa: N801 - SQL functions are written small
    """SQL: how many values the JSON array in a text has."""

    type = Integer()
    inherit_cache = True


@compiles(array_length)
def _array_length(element: array_length, compiler: Any, **kwargs: Any) -> str:
    return f"json_array_length({compiler.process(element.clauses, **kwargs)})"


@compiles(array_length, "postgresql")
def _array_length_on_postgresql(element: array_length, compiler: Any, **kwargs: Any) -> str:
    return f"json_array_length(CAST({compiler.process(element.clauses, **kwargs)} AS JSON))"


class address_hash(GenericFunction[str]):  # noqa: N801 - SQL functions are written small
    """SQL: the SHA-256 of an address in hexadecimal, as suppressions keep it."""

    type = String()
    inherit_cache = True


@compiles(address_hash, "postgresql")
def _address_hash_on_postgresql(element: address_hash, compiler: Any, **kwargs: Any) -> str:
    return f"encode(sha256(convert_to({compiler.process(element.clauses, **kwargs)}, 'UTF8')), 'hex')"


def sha256_hex(value: str | None) -> str | None:
    """What `address_hash` is on SQLite, which has no such function of its own."""
    return None if value is None else hashlib.sha256(value.encode()).hexdigest()
