"""Bringing a database to the shape of this version, by Alembic; loaded where there is something to bring."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from engine.errors import StoreError, StoreTooNew
from engine.store.migrate import VERSION, revision

HERE = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection) -> Config:
    """What Alembic needs to know to work on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Raises StoreError where the database is not one of ours, StoreTooNew where it is newer than we are."""
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


def _tables(connection: Connection) -> list[str]:
    return sorted(inspect(connection).get_table_names())
