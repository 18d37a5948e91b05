"""The indexes that a database should have, beside those it has."""

from typing import NamedTuple

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateIndex

from engine.store.tables import metadata


class Missing(NamedTuple):
    """An index that stands in `tables` and not in the database; `remedy` is the SQL that makes it."""

    table: str
    name: str
    remedy: str


def missing_indexes(connection: Connection) -> list[Missing]:
    """Every index that should be there and is not, by table and name."""
    asked = inspect(connection)
    found = []
    for table in metadata.sorted_tables:
        there = {index["name"] for index in asked.get_indexes(table.name)}
        found += [
            Missing(table.name, str(index.name), _remedy(connection, CreateIndex(index)))
            for index in table.indexes
            if index.name not in there
        ]
    return sorted(found)


def _remedy(connection: Connection, create: CreateIndex) -> str:
    return " ".join(str(create.compile(dialect=connection.dialect)).split())
