"""Which shape a database has, and that it gets the one of this version."""

from sqlalchemy import Connection, inspect, text

from engine.store.connect import Store

NEWEST = "0019"
VERSION = "alembic_version"  # the table that says which


def ensure_current(store: Store) -> None:
    """Create or upgrade the tables; nothing happens where they are as they should be."""
    with store.reading() as connection:
        if revision(connection) == NEWEST:
            return
    from engine.store.upgrading import upgrade  # noqa: PLC0415 - Alembic is slow to load, and seldom needed

    with store.writing() as connection:
        upgrade(connection)


def revision(connection: Connection) -> str | None:
    """The migration a database stands at; None for an empty one."""
    if not inspect(connection).has_table(VERSION):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)
