"""How a database means to answer a query, and which tables it would read from end to end for it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import (
    Alias,
    ClauseElement,
    Column,
    Connection,
    Executable,
    Select,
    Table,
    func,
    literal,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors

from engine.store.dialect import Rows, Sets, is_sqlite
from engine.store.tables import metadata

# SQLite also reads a table to the end to index it for one query, or to try each value of a first column.
_SQLITE = re.compile(r"SCAN (\w+)|SEARCH (\w+) USING AUTOMATIC|SEARCH (\w+) USING .*\(ANY\(")
_POSTGRESQL = re.compile(r"Seq Scan on (\w+)")
# PostgreSQL also goes through an index to its end where what is compared is not its first column.
_THROUGH_INDEX = re.compile(
    r"(?:Index(?: Only)? Scan.* using|Bitmap Index Scan on) (\w+).*(?:\n\s*Index Cond: (.*))?"
)


def _first_columns() -> Iterator[tuple[str, tuple[Table, str]]]:
    for table in metadata.sorted_tables:
        yield str(table.primary_key.name), (table, next(iter(table.primary_key)).name)
        for index in table.indexes:
            yield str(index.name), (table, index.columns[0].name)


_FIRST_COLUMNS = dict(_first_columns())  # of each primary key and index, by its name


class _Plan(Executable, ClauseElement):
    """A query of which only the plan is asked."""

    inherit_cache = False

    def __init__(self, query: Rows | Sets) -> None:
        self.query = query


@compiles(_Plan, "sqlite")
def _plan_on_sqlite(element: _Plan, compiler: Any, **kwargs: Any) -> str:
    return f"EXPLAIN QUERY PLAN {compiler.process(element.query, **kwargs)}"


@compiles(_Plan, "postgresql")
def _plan_on_postgresql(element: _Plan, compiler: Any, **kwargs: Any) -> str:
    return f"EXPLAIN {compiler.process(element.query, **kwargs)}"


def query_plan(connection: Connection, query: Rows | Sets) -> list[str]:
    """The database's plan for it, a line for each step, set in under the step it serves."""
    rows = connection.execute(_Plan(query)).all()
    if not is_sqlite(connection):
        return [str(row[0]) for row in rows]
    depth = {0: 0}
    for number, parent, *_ in rows:
        depth[number] = depth[parent] + 1
    return [f"{'  ' * (depth[row[0]] - 1)}{row[3]}" for row in rows]


def read_whole(connection: Connection, query: Rows | Sets) -> list[Table]:
    """Those of our tables that the plan reads from end to end, each once."""
    plan = "\n".join(query_plan(connection, query))
    if is_sqlite(connection):
        aliases = {str(alias.name): _base(alias) for alias in _parts(query, Alias)}
        found = {_named(name, aliases) for names in _SQLITE.findall(plan) for name in names if name}
    else:
        found = {metadata.tables.get(name) for name in _POSTGRESQL.findall(plan)}
        found |= {_gone_through(*scan) for scan in _THROUGH_INDEX.findall(plan)}
    return sorted((table for table in found if table is not None), key=lambda table: table.name)


def _named(name: str, aliases: Mapping[str, Table | None]) -> Table | None:
    """SQLite tells aliases; one without a name of its own is the table's with a number."""
    return aliases.get(name) if name in aliases else metadata.tables.get(re.sub(r"_\d+$", "", name))


def _gone_through(index: str, condition: str) -> Table | None:
    table, first = _FIRST_COLUMNS.get(index, (None, ""))
    return None if re.search(rf"\b{first}\b", condition) else table


def compared(query: Rows | Sets, table: Table) -> list[str]:
    """The columns of the table that the query's conditions compare with something."""
    conditions = (each.whereclause for each in _parts(query, Select))
    columns = (column for where in conditions if where is not None for column in _parts(where, Column))
    return sorted({column.name for column in columns if _base(column.table) is table})


def is_large(connection: Connection, table: Table, rows: int) -> bool:
    """Whether the table has more rows than that; no more of them are counted."""
    some = select(literal(1)).select_from(table).limit(rows + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(some)) or 0) > rows


def _parts(whole: Any, kind: type[Any]) -> Iterator[Any]:
    return (part for part in visitors.iterate(whole) if isinstance(part, kind))


def _base(part: Any) -> Table | None:
    """The table itself that stands behind an alias; None where it is none of ours."""
    while isinstance(part, Alias):
        part = part.element
    return metadata.tables.get(part.name) if isinstance(part, Table) else None
