"""What is told while the database may be busy: written to files first, and safe there at once.

A process appends to a file of its own, a line for each event with its checksum, and nobody is answered
before the line is on the disk. Those who come together share one wait for the disk. Any process may take a
file and bring it into the database: it renames the file, which tells its writer to begin another one, and
waits for a line that is just being written. From then on the file never changes, so two may bring it in at
the same time: each event is kept once. It is removed when that is committed.

A line that is not whole was never acknowledged: its writer died, or the disk was full.
"""

import os
import time
from binascii import crc32
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from threading import Event, Lock
from typing import NamedTuple

import orjson

from engine.clock import from_micros, to_micros
from engine.errors import StoreError, StoreLocked, relative
from engine.facts.locks import locked, stands, unlock
from engine.facts.receiving.inbound import Told

OPEN, TAKEN = ".open", ".taken"
LARGEST = 8 * 1024 * 1024  # bytes; a file of that size gets no more lines
HINT = "what is told is kept there first: look at the rights of that folder, and at its disk"
PATIENCE, LOOK = 2.0, 0.005  # seconds: how long a line in hand is waited for, and between two looks


class Lines(NamedTuple):
    """What a file says, and how many of its lines are torn."""

    told: Sequence[Told]
    torn: int


class Spool:
    """All that waits in the folder `state`: what machines tell, and what readers wish."""

    def __init__(self, state: Path) -> None:
        folder = state / "spool"
        self.events = Tray(state, folder, folder / "events")
        self.wishes = Tray(state, folder, folder / "wishes")

    @property
    def trouble(self) -> str:
        """Why this process could not write there when it last tried; '' where it could."""
        return self.wishes.trouble or self.events.trouble

    def obstacle(self) -> str:
        """What stands against writing there; '' where nothing is seen to."""
        folders = (self.events.folder, *self.events.folder.parents)
        nearest = next(folder for folder in folders if folder.exists())
        return "" if os.access(nearest, os.W_OK | os.X_OK) else f"{relative(nearest)} may not be written"

    def close(self) -> None:
        self.events.close()
        self.wishes.close()


@dataclass
class _Slip:
    """What one thread wants to have written down, and whether it is."""

    told: Sequence[Told]
    done: bool = False
    written: bool = False


class Tray:
    """A folder of such files, the last of these; they are for their owner only, and made when needed."""

    def __init__(self, *folders: Path) -> None:
        self._folders, self.folder = folders, folders[-1]
        self._slips: list[_Slip] = []
        self._at_the_slips, self._turn = Lock(), Lock()
        self._file: _File | None = None
        self.filled = Event()  # set with everything that is put here
        self.trouble = ""  # why the last of it could not be written down

    def put(self, told: Sequence[Told]) -> None:
        """Each is on the disk when this returns. Raises StoreError."""
        slip = _Slip(told)
        with self._at_the_slips:
            self._slips.append(slip)
        with self._turn:
            if not slip.done:
                self._write_for_all()
        if not slip.written:
            msg = "what was told could not be written down"
            raise StoreError(msg)
        self.filled.set()

    def files(self) -> list[Path]:
        """Those that wait, the oldest first. Raises StoreError where they cannot be listed."""
        with _told_as("read", self.folder), suppress(FileNotFoundError):
            return sorted(path for path in self.folder.iterdir() if path.suffix in (OPEN, TAKEN))
        return []

    def look(self) -> list[Told]:
        """All that waits, as it is now. Raises StoreError where it cannot be read.

        What is not found here any more is in the database.
        """
        return [told for path in self.files() for told in _there_or_taken(path)]

    def since(self) -> datetime | None:
        """When the oldest file that waits was begun. Raises StoreError."""
        return next((from_micros(int(path.name.partition("-")[0])) for path in self.files()), None)

    def take(self) -> Iterator[Path]:
        """Each file that waits, the oldest first; its writer begins another one. Raises StoreError."""
        for path in self.files():
            if path.suffix == OPEN:
                with _told_as("moved", path), suppress(FileNotFoundError):  # another process was faster
                    path.rename(path.with_suffix(TAKEN))
            yield path.with_suffix(TAKEN)

    def close(self) -> None:
        """Write to no file any more that was begun here."""
        with self._turn:
            self._let_go()

    def _write_for_all(self) -> None:
        """Whoever has the turn writes for those who wait for it; they then find it done."""
        with self._at_the_slips:
            slips, self._slips = self._slips, []
        written = False
        try:
            with _told_as("written", self.folder):
                self._write([each for slip in slips for each in slip.told])
            written, self.trouble = True, ""
        except StoreError as error:
            self.trouble = str(error)
            raise
        finally:
            for slip in slips:
                slip.done, slip.written = True, written
            if not written:
                self._let_go()

    def _write(self, told: Sequence[Told]) -> None:
        text = b"".join(map(_line, told))
        while text and not self._open(told).append(text):
            self._let_go()
        if self._file and self._file.size >= LARGEST:
            self._let_go()

    def _open(self, told: Sequence[Told]) -> "_File":
        if self._file is None:
            begun = min(each.received_at for each in told)
            path = self.folder / f"{to_micros(begun):017d}-{token_hex(6)}{OPEN}"
            if not self.folder.is_dir():
                self._make_folders()
            self._file = _File(path)
        return self._file

    def _make_folders(self) -> None:
        for folder in self._folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_lasting(folder.parent)

    def _let_go(self) -> None:
        if self._file:
            self._file.close()
        self._file = None


class _File:
    """A file that this process appends to, until another one takes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.size = 0
        _make_lasting(path.parent)

    def append(self, text: bytes) -> bool:
        """Make the lines lasting. False where the file was taken; then nothing is written to it."""
        if not locked(self._handle):
            return False
        try:
            if not stands(self._handle, self._path):
                return False
            self._write(text)
        finally:
            unlock(self._handle)
        return True

    def close(self) -> None:
        os.close(self._handle)

    def _write(self, text: bytes) -> None:
        left = memoryview(text)
        while left:
            left = left[os.write(self._handle, left) :]
        os.fsync(self._handle)
        self.size += len(text)


def read(path: Path) -> Lines | None:
    """All that a taken file says; None where it was brought in meanwhile.

    Raises StoreLocked where its writer does not come to an end, StoreError where it cannot be read.
    """
    return _read(path, wait=True)


def remove(path: Path) -> None:
    """What it said is in the database. Raises StoreError."""
    with _told_as("removed", path):
        path.unlink(missing_ok=True)


def _there_or_taken(path: Path) -> Sequence[Told]:
    lines = _read(path) or _read(path.with_suffix(TAKEN))
    return lines.told if lines else ()


def _read(path: Path, *, wait: bool = False) -> Lines | None:
    """None where it is not there."""
    with _told_as("read", path), suppress(FileNotFoundError), path.open("rb") as file:
        if wait:
            _wait_for_the_last_line(file.fileno(), path)
        lines = [line for line in file.read().split(b"\n") if line]
        found = [told for told in map(_told, lines) if told]
        return Lines(found, len(lines) - len(found))
    return None


def _wait_for_the_last_line(handle: int, path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not locked(handle):
        if time.monotonic() > end:
            msg = f"{relative(path)} is held by the process that writes it"
            raise StoreLocked(msg, hint="does that still go on? see aftersale status")
        time.sleep(LOOK)


def _line(told: Told) -> bytes:
    said = orjson.dumps([told.source, told.event_id, to_micros(told.received_at), told.body])
    return b"%08x %b\n" % (crc32(said), said)


def _told(line: bytes) -> Told | None:
    """What a line says; None where it is torn."""
    checksum, _, said = line.partition(b" ")
    if checksum != b"%08x" % crc32(said):
        return None
    source, event_id, micros, body = orjson.loads(said)
    return Told(source, event_id, from_micros(micros), body)


def _make_lasting(folder: Path) -> None:
    """The names in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told_as(what: str, path: Path) -> Iterator[None]:
    """Trouble with files as StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{relative(path)} cannot be {what}: {error.strerror}", hint=HINT) from error
