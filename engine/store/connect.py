"""Opening a database: the address, the pragmas, and errors a person can act on."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from sqlite3 import Error as SQLiteError
from threading import RLock
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError

from engine.errors import (
    NotAdopted,
    SettingsError,
    StoreClash,
    StoreError,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
    relative,
)
from engine.store.dialect import sha256_hex

BUSY_MILLISECONDS = 15_000
SILENT_MILLISECONDS = 1_000
ANSWER_SECONDS = 15  # how long a server may take to answer at all
RESTORE = "restore it from a backup, then take it over with: aftersale adopt"
_NO_URL = "the database URL cannot be used"
_URLS = "write sqlite:///shop.db or postgresql://user@host/name"
_HELD, _WAIT = "the database is held by another process", "wait for it to end, then try again"


class Store:
    """One database: SQLite by default, PostgreSQL by URL.

    `busy` is how many milliseconds SQLite waits for another writer; after the first second of them
    `say` is told so.
    """

    def __init__(
        self,
        url: str,
        *,
        folder: Path | None = None,
        busy: int | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._busy = BUSY_MILLISECONDS if busy is None else busy
        self._say = say
        self._turn = RLock()  # SQLite's own queue is unfair: threads of this process take turns here
        self.engine = _engine(url, folder or Path.cwd(), self._busy)
        self._file = _file_of(self.engine)
        self._number = file_number(self._file) if self._file else 0

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; what is done in it leaves no trace."""
        with translated_errors(), self._connect() as connection:
            _begin_to_read(connection)
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(self, *, within: int | None = None) -> Iterator[Connection]:
        """One transaction that is kept whole, or not at all.

        Where SQLite has another writer for longer than so many milliseconds, StoreLocked is raised; by
        default for `busy`, once it is this thread's turn.
        """
        alone = self._alone(within) if self.engine.dialect.name == "sqlite" else nullcontext(0)
        with translated_errors(), alone as busy, self._connect() as connection:
            connection.begin()
            if connection.dialect.name == "sqlite":
                self._take_turn(connection, busy)
            with connection.get_transaction() or connection.begin():
                yield connection

    def _connect(self) -> Connection:
        """To the file that was opened, while it is there: else it would take what nobody ever finds again.

        Raises StoreUnreachable where it is gone, NotAdopted where another lies in its place.
        """
        if self._file is not None and file_number(self._file) != self._number:
            msg = f"the database {relative(self._file)} was exchanged for another while it was open"
            raise NotAdopted(msg, hint="start again; aftersale status tells whether it is to be adopted")
        return self.engine.connect()

    @contextmanager
    def _alone(self, within: int | None) -> Iterator[int]:
        """This thread's turn, and for how long other processes may then be waited for."""
        begun = time.monotonic()
        if not self._turn.acquire(timeout=-1 if within is None else within / 1000):
            raise StoreLocked(_HELD, hint=_WAIT)
        try:
            waited = int((time.monotonic() - begun) * 1000)
            yield self._busy if within is None else min(max(within - waited, 0), self._busy)
        finally:
            self._turn.release()

    def _take_turn(self, connection: Connection, busy: int) -> None:
        """SQLite has one writer at a time: wait a moment for it in silence, then say so and wait on."""
        silent = min(busy, SILENT_MILLISECONDS)
        connection.exec_driver_sql(f"PRAGMA busy_timeout={silent}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if silent == busy or "locked" not in str(error.orig):
                raise
            self._say(f"another process is writing to the database; waiting up to {busy // 1000} s")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={busy - silent}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def overwrite_free_pages(self) -> bool:
        """Make the file of SQLite anew, so that it keeps nothing of what was deleted, nor does its log.

        False where that cannot be had: another process holds the file, or it is PostgreSQL, which keeps
        old pages until VACUUM, and longer in its own log.
        """
        if self.engine.dialect.name != "sqlite":
            return False
        try:
            with self._turn, self.engine.connect() as connection:
                plain = connection.connection.driver_connection
                assert plain is not None  # noqa: S101 - an open connection has one
                plain.execute("PRAGMA secure_delete=ON")
                plain.execute("VACUUM")
                busy, *_ = plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                return not busy
        except SQLiteError:
            return False

    def close(self) -> None:
        self.engine.dispose()


def file_of(address: str, folder: Path) -> Path | None:
    """Where the file of a SQLite database lies, or is to lie; None for PostgreSQL."""
    url = _url(address)
    return folder / str(url.database) if url.get_backend_name() == "sqlite" else None


def is_there(address: str, folder: Path) -> bool:
    """Whether there is a database to ask: for SQLite, whether its file is there."""
    file = file_of(address, folder)
    return file is None or os.path.isfile(file)  # noqa: PTH113 - unlike those of Path, it raises nothing


def name_of(address: str, folder: Path) -> str:
    """The file of a SQLite database, as people say it."""
    return relative(folder / str(_url(address).database))


def require_database(address: str, folder: Path) -> None:
    """For who only asks: a file that is not there is told, and not made."""
    if not is_there(address, folder):
        msg = f"there is no database {name_of(address, folder)} yet"
        raise StoreUnreachable(msg, hint="`aftersale import` makes it; or does `database` name another?")


def obstacle(address: str, folder: Path) -> str:
    """What stands against making the file of a SQLite database there; '' where nothing does."""
    file = folder / str(_url(address).database)
    if os.path.isdir(file):  # noqa: PTH112 - unlike those of Path, these raise nothing
        return f"{relative(file)} is a folder"
    return "" if os.path.isdir(file.parent) else f"there is no folder {relative(file.parent)}"  # noqa: PTH112


def _file_of(engine: Engine) -> Path | None:
    """The file of a SQLite database, where it is there."""
    file = Path(engine.url.database or "")
    return file if engine.dialect.name == "sqlite" and os.path.isfile(file) else None  # noqa: PTH113


def file_number(file: Path) -> int:
    """By which its disk knows the file, whatever it is called. Raises StoreUnreachable where it is gone."""
    try:
        return file.stat().st_ino
    except FileNotFoundError as error:
        raise StoreUnreachable(f"the database {relative(file)} is gone", hint=RESTORE) from error


def _begin_to_read(connection: Connection) -> None:
    """SQLAlchemy begins no SQLite transaction at a SELECT."""
    connection.begin()
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN" if sqlite else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _url(address: str) -> URL:
    """The URL of a database that can be used: PostgreSQL, or a file of SQLite."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:  # the latter of a port that is no number
        raise SettingsError(_NO_URL, hint=_URLS) from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    of_file = url.get_backend_name() == "sqlite" and url.database
    if not of_file and url.drivername != "postgresql+psycopg":
        raise SettingsError(_NO_URL, hint=_URLS)
    return url


def _engine(address: str, folder: Path, busy: int) -> Engine:
    url = _url(address)
    if url.get_backend_name() == "sqlite":
        return _sqlite(str(folder / str(url.database)), busy)
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": ANSWER_SECONDS})


def _sqlite(file: str, busy: int) -> Engine:
    _begin_private(Path(file))
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": busy / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
            _pragma(connection, pragma)
        connection.create_function("address_hash", 1, sha256_hex, deterministic=True)

    return engine


def _begin_private(file: Path) -> None:
    """What is known of customers is nobody else's to read: a new database file belongs to its owner alone."""
    with suppress(OSError):  # what stands against it is told when the database is opened
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _pragma(connection: Any, pragma: str) -> None:
    try:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    except Exception as error:
        if "readonly" not in str(error) and "read-only" not in str(error):
            raise


_FULL, _ROOM = "the disk of the database is full", "make room, then try again; nothing is lost"
_NO_FOLDER = "does its folder exist, and may it be written?"
_SIGNS: tuple[tuple[str, type[StoreError], str, str | None], ...] = (
    ("deadlock", StoreClash, "another process changed the same rows", "try again"),
    ("locked", StoreLocked, _HELD, _WAIT),
    (
        "readonly",
        StoreReadOnly,
        "the database may only be read",
        "check the rights of the file and its folder",
    ),
    ("read-only", StoreReadOnly, "the database may only be read", None),
    ("permission denied", StoreReadOnly, "the database user lacks a right", None),
    ("unable to open", StoreUnreachable, "the database cannot be opened", _NO_FOLDER),
    ("not a database", StoreUnreachable, "the file is not a database", "check `database:` in config.yaml"),
    ("malformed", StoreUnreachable, "the database file is damaged", "restore it from a backup"),
    ("disk is full", StoreError, _FULL, _ROOM),
    ("no space left", StoreError, _FULL, _ROOM),
    ("connection", StoreUnreachable, "no database answers there", "is it running, and the URL right?"),
)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Database errors that a person can act on, as StoreError; any other passes unchanged."""
    try:
        yield
    except DBAPIError as error:
        raise _told(error) from error


def _told(error: DBAPIError) -> Exception:
    if isinstance(error, IntegrityError | DataError):  # these quote values, which may say anything
        return error
    text = str(error.orig).lower()
    for sign, kind, message, hint in _SIGNS:
        if sign in text:
            return kind(message, hint=hint)
    if isinstance(error, OperationalError):
        return StoreError(f"the database refused: {str(error.orig).splitlines()[0]}")
    return error
