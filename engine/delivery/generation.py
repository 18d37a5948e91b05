"""A copied database never mails: how far it has got is kept in it, and once more outside of it.

Every intent to send raises the number of the generation, in the transaction that writes the intent;
the number, the name of the database and its place are then written to a file. A database that stands
at a lower number than the file was restored from a backup. One in another place, or with another name,
is a copy, or another shop. A file that is missing tells that this database has mailed from elsewhere.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from uuid import uuid4

from sqlalchemy import Connection, select, text, update

from engine.errors import NotAdopted, SettingsError, StoreUnreachable, relative
from engine.store.connect import RESTORE, Store, file_number, is_there, name_of
from engine.store.dialect import database_now, insert_ignoring, is_sqlite
from engine.store.tables import generation

NAME = "generation"
FILE = "generation.json"
_DATABASE = "SELECT oid, datname FROM pg_database WHERE datname = current_database()"
_SERVER = "SELECT system_identifier FROM pg_control_system()"
_MAY_ASK = "SELECT has_function_privilege('pg_control_system()', 'execute')"  # some hosts forbid it
_HINT = "see aftersale status; then take it over with: aftersale adopt"


@dataclass(frozen=True)
class Record:
    """Which database it is, where it lies, and how far it had got."""

    database: str
    place: str
    number: int


class Guard:
    """Compares the database with what the file says of it, and moves both on."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.file = folder / FILE
        self._store = store
        self._known: Record | None = None

    def check(self) -> None:
        """Raises NotAdopted unless this is the database that the file speaks of, no earlier than then.

        Where neither has mailed yet, both begin here.
        """
        found, recorded = self._both()
        if found is None and recorded is None:
            self._begin()
            found, recorded = self._both()
        if found is not None and recorded is None and found.number == 0:
            recorded = self.write(found)
        self._known = agreed(found, recorded, self.file)

    def trouble(self) -> NotAdopted | None:
        """What `check` would raise; nothing is written."""
        try:
            found, recorded = self._both()
            if recorded is not None or (found is not None and found.number):
                agreed(found, recorded, self.file)
        except NotAdopted as error:
            return error
        return None

    def advance(self, connection: Connection) -> int:
        """Raise the number in this transaction. Raises NotAdopted where the database was exchanged."""
        if self._known is None:
            self.check()
        known = self._known
        if known is None:  # to mypy
            raise NotAdopted(_HINT)
        same = (generation.c.database_id == known.database, generation.c.number >= known.number)
        change = update(generation).where(generation.c.name == NAME, *same)
        up = change.values(number=generation.c.number + 1, at=database_now(connection))
        number = connection.scalar(up.returning(generation.c.number))
        if number is None:
            msg = "the database was exchanged for another one, or for an older state of itself"
            raise NotAdopted(msg, hint=_HINT)
        return int(number)

    def remember(self, number: int) -> None:
        """What `advance` told, once it is committed."""
        if self._known is not None:
            self._known = self.write(Record(self._known.database, self._known.place, number))

    def _both(self) -> tuple[Record | None, Record | None]:
        """What the database says, and what the file said before it.

        Others may be sending: the file, which is written last, must not be read last. Where there was
        none, the first of them may have begun it meanwhile.
        """
        recorded = self.recorded()
        found = self.found()
        if recorded is None and found is not None:
            recorded = self.recorded()
            found = self.found()
        return found, recorded

    def found(self) -> Record | None:
        """What the database says of itself."""
        with self._store.reading() as connection:
            row = connection.execute(select(generation.c.database_id, generation.c.number)).one_or_none()
            return None if row is None else Record(row[0], place(connection), row[1])

    def recorded(self) -> Record | None:
        """What the file says of it."""
        return _recorded(self.file)

    def write(self, record: Record) -> Record:
        """Replace the file in one step. Raises SettingsError where it cannot be written."""
        hidden = self.file.with_name(f".{FILE}.{os.getpid()}.{token_hex(4)}.tmp")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with hidden.open("w", encoding="utf-8") as file:
                json.dump(asdict(record), file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            hidden.replace(self.file)
        except OSError as error:
            msg = f"{relative(self.file)} cannot be written: {error.strerror}"
            raise SettingsError(msg, hint="set `state` to a folder that can be written, and stays") from error
        return record

    def renew(self) -> None:
        """Let the file speak of the database as it is now."""
        found = self.found()
        self._known = self.write(found) if found else None

    def _begin(self) -> None:
        with self._store.writing() as connection:
            begin(connection)


def begin(connection: Connection) -> None:
    """Give the database its name, unless it has one."""
    now = database_now(connection)
    row = {"name": NAME, "database_id": str(uuid4()), "number": 0, "at": now, "review_until": None}
    insert_ignoring(connection, generation, [row])


def take_over(connection: Connection, review_until: datetime | None) -> None:
    """Begin a new generation under a new name: the databases it was copied from go their own way."""
    begin(connection)
    values = {"database_id": str(uuid4()), "number": generation.c.number + 1, "review_until": review_until}
    connection.execute(update(generation).values(at=database_now(connection), **values))


def agreed(found: Record | None, recorded: Record | None, file: Path) -> Record:
    """What the database says, where the file agrees. Raises NotAdopted."""
    if found is None:
        msg = f"the database is new, and {relative(file)} speaks of another one that has sent mail"
    elif recorded is None:
        msg = f"the database has sent mail from elsewhere: there is no {relative(file)} here"
    elif found.database != recorded.database:
        msg = f"the database is not the one that {relative(file)} speaks of"
    elif found.place != recorded.place:
        msg = f"the database is a copy, or was moved: {relative(file)} speaks of it in another place"
    elif found.number < recorded.number:
        msg = (
            f"the database was restored from a backup: it stands at generation {found.number:,}, "
            f"and {recorded.number:,} was reached"
        )
    else:
        return found
    raise NotAdopted(msg, hint=_HINT)


def lost(database: str, project: Path, state: Path) -> StoreUnreachable | None:
    """What is to be said where a database has mailed from this project, and is not there any more."""
    if is_there(database, project):
        return None
    recorded = _recorded(state / FILE)
    if recorded is None or not recorded.number:
        return None
    name, witness = name_of(database, project), relative(state / FILE)
    told = f"the database {name} is gone; {witness} tells that it has sent mail"
    return StoreUnreachable(told, hint=f"{RESTORE}; or does `database` name another?")


def _recorded(file: Path) -> Record | None:
    try:
        return Record(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        msg = f"{relative(file)} cannot be read"
        raise NotAdopted(msg, hint=_HINT) from error


def place(connection: Connection) -> str:
    """Where the database lies, so that a copy lies elsewhere: a file by its number on its disk."""
    if is_sqlite(connection):
        file = Path(connection.engine.url.database or "").resolve()
        return f"{file}, file {file_number(file)}"
    oid, name = connection.execute(text(_DATABASE)).one()
    server = connection.scalar(text(_SERVER)) if connection.scalar(text(_MAY_ASK)) else "of an unknown server"
    return f"PostgreSQL {server}, database {oid} {name}"
