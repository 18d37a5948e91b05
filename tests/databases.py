"""Fresh databases with all tables: copies of one that was migrated, and what was lent before and is empty again."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from engine.store.connect import Store
from engine.store.migrate import ensure_current

SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")  # tests need not survive the machine

LET_GO = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = """
    DO $$ DECLARE name text; full_one boolean; full_ones text[]; BEGIN
        FOR name IN
            SELECT quote_ident(relname) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
        LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO full_one;
            IF full_one THEN full_ones := full_ones || name; END IF;
        END LOOP;
        IF full_ones IS NOT NULL THEN
            EXECUTE format('TRUNCATE %s RESTART IDENTITY', array_to_string(full_ones, ', '));
        END IF;
    END $$
"""
# its tables and indexes, the number of their columns, and for how many of these ANALYZE took statistics
SHAPE = """
    SELECT array_agg((oid, relnatts, (SELECT count(*) FROM pg_statistic WHERE starelid = oid)) ORDER BY oid)::text
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""


def migrated(url: str) -> None:
    store = Store(url)
    ensure_current(store)
    store.close()


class SQLiteCopies:
    """New SQLite databases."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        migrated(f"sqlite:///{self._template}")

    def new(self, file: Path) -> str:
        """Its URL."""
        shutil.copy(self._template, file)
        return f"sqlite:///{file}"


class PostgresCopies:
    """New databases of a server, and lent ones: to empty one takes a fraction of the time to make one.

    One that has been changed otherwise than by rows is not lent again.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._connection = psycopg.connect(server.get_uri(), autocommit=True)
        self._spare: list[_Spare] = []
        for setting in SETTINGS:
            self._connection.execute(f"ALTER SYSTEM SET {setting} = off")
        self._connection.execute("SELECT pg_reload_conf()")
        self._connection.execute("CREATE DATABASE template_aftersale")
        migrated(server.get_uri("template_aftersale"))

    def new(self) -> str:
        """The URL of one that nobody else gets."""
        name = f"t{uuid4().hex}"
        self._connection.execute(f"CREATE DATABASE {name} TEMPLATE template_aftersale")
        return str(self._server.get_uri(name))

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of one that is as good as new, and given back at the end."""
        one = self._spare.pop() if self._spare else _Spare(self.new())
        yield one.url
        if one.emptied():
            self._spare.append(one)
        else:
            one.close()

    def close(self) -> None:
        for one in self._spare:
            one.close()
        self._connection.close()


class _Spare:
    """A database that can be emptied, as long as it has the shape it began with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._shape = self._connection.execute(SHAPE).fetchone()

    def emptied(self) -> bool:
        self._connection.execute(LET_GO)
        self._connection.execute(EMPTY)
        return self._connection.execute(SHAPE).fetchone() == self._shape

    def close(self) -> None:
        self._connection.close()
