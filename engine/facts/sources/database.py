"""The answer of a SQL database to a query, written out as rows."""

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, ResourceClosedError, SQLAlchemyError

from engine.errors import ImportFailed, UsageError
from engine.facts.sources.cells import cell
from engine.facts.sources.scratch import Scratch

ENVIRONMENT = "env:"
AT_ONCE = 1_000  # rows
_HINT = "write sqlite:///shop.db, postgresql://user@host/name, or env:NAME for a variable that holds it"


@dataclass(frozen=True)
class Query:
    """A question to a database. Its URL may hold a password, so it is never shown."""

    url: str = field(repr=False)
    sql: str

    @property
    def name(self) -> str:
        """As people are told of it."""
        return f"query of {Path(self.address().database or 'the database').name}"

    def address(self) -> URL:
        """Where the database is. Raises UsageError."""
        try:
            url = make_url(self._written())
        except (ArgumentError, ValueError) as error:  # the latter of a port that is no number
            msg = "--from is not the URL of a database"
            raise UsageError(msg, hint=_HINT) from error
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            msg = f"there is no file {url.database}"
            raise ImportFailed(msg)
        return url

    def _written(self) -> str:
        if not self.url.startswith(ENVIRONMENT):
            return self.url
        name = self.url.removeprefix(ENVIRONMENT)
        if name not in os.environ:
            msg = f"--from: the environment has no variable {name}"
            raise UsageError(msg)
        return os.environ[name]


def as_table(query: Query, scratch: Scratch) -> tuple[Path, bool]:
    """The rows of the answer as CSV, and whether there are floating-point numbers in them.

    The database is only read. Raises ImportFailed or UsageError.
    """
    url = query.address()
    try:
        engine = _engine(url)
    except (NoSuchModuleError, ImportError) as error:
        msg = f"the driver for {url.drivername} is not installed: {error}"
        raise ImportFailed(msg, hint="install it beside aftersale, with pip") from error
    try:
        return _answer(engine, query, scratch)
    except ResourceClosedError as error:
        msg = f"the {query.name} has no rows as its answer"
        raise ImportFailed(msg, hint="write a SELECT") from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        msg = f"the {query.name} failed: {reason}"
        raise ImportFailed(msg) from error
    finally:
        engine.dispose()


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    file = f"{Path(url.database or '').resolve().as_uri()}?mode=ro"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(file, uri=True))


def _answer(engine: Engine, query: Query, scratch: Scratch) -> tuple[Path, bool]:
    statement = text(query.sql.replace(":", r"\:"))  # a colon is no parameter of ours
    with engine.connect() as connection:
        reading = connection.execution_options(yield_per=AT_ONCE, postgresql_readonly=True)
        answer = reading.execute(statement)
        kinds: set[type] = set()
        path = scratch.table(list(answer.keys()), _rows(answer, kinds))
    return path, float in kinds


def _rows(answer: Any, kinds: set[type]) -> Iterator[list[str]]:
    """The rows as text; of what kinds their values were is noted."""
    for row in answer:
        kinds.update(map(type, row))
        yield list(map(cell, row))
