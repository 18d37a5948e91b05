"""Bringing a database to the shape of this version, and refusing one from a newer version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from engine.errors import StoreError, StoreTooNew
from engine.store.connect import Store

HERE = Path(__file__).parent / "migrations"
NEWEST = "0018"
VERSION = "alembic_version"  # the table that says which


def ensure_current(store: Store) -> None:
    """Create or upgrade the tables; nothing happens where they are as they should be."""
    with store.reading() as connection:
        if revision(connection) == NEWEST:
            return
    with store.writing() as connection:
        _upgrade(connection)


def revision(connection: Connection) -> str | None:
    """The migration a database stands at; None for an empty one."""
    if not inspect(connection).has_table(VERSION):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _tables(connection: Connection) -> list[str]:
    return sorted(inspect(connection).get_table_names())


def alembic_config(connection: Connection) -> Config:
    """What Alembic needs to know to work on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # two processes that start at once take turns
        connection.execute(text("SELECT pg_advisory_xact_lock(7301)"))
    refuse_strange(connection)
    command.upgrade(alembic_config(connection), "head")


def refuse_strange(connection: Connection) -> None:
    """Raise where the database is not one that this version can bring to its own shape."""
    scripts = ScriptDirectory.from_config(alembic_config(connection))
    known = {script.revision for script in scripts.walk_revisions()}
    here = revision(connection)
    others = [] if here else _tables(connection)
    if others and VERSION not in others:
        msg = f"the database holds tables of something else, such as {others[0]}"
        raise StoreError(msg, hint="give aftersale a database of its own, and name it in config.yaml")
    if here is not None and here not in known:
        msg = f"the database is at {here!r}, which this version does not know"
        raise StoreTooNew(msg, hint="it was made by a newer version: upgrade aftersale")
