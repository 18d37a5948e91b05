"""The `folder` transport: each mail becomes one `.eml` file, exactly once.

The file is named after the message id and lies in the folder of the (UTC) day it was planned for:
`outbox/mails/2026-03-10/<message id>.eml`. It is written under a hidden name, made lasting, and
then linked to its own name, which fails where that name is taken: the mail has left already.
"""

import errno
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from shutil import disk_usage
from typing import ClassVar

from engine.delivery.transports.base import Receipt, Trace, TryAgain
from engine.delivery.transports.content import as_bytes
from engine.errors import TransportError, relative
from engine.rendering.mail import Mail
from engine.settings.model import Settings

_LEFTOVER = re.compile(r"\.(?P<host>.+)\.(?P<pid>\d+)\.[0-9a-f]+\.tmp")
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class FolderTransport:
    """Writes below `delivery.folder` of the project; files are for their owner only."""

    name: ClassVar[str] = "folder"
    exactly_once: ClassVar[bool] = True

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._mails = folder / settings.delivery.folder / "mails"
        self._tidied: set[Path] = set()
        self._unsynced: set[Path] = set()

    def send(self, mail: Mail) -> Receipt:
        """Write the file, unless it is there.

        Raises Refused for what cannot be put into a mail, TryAgain where the hidden file went missing,
        TransportError where the folder cannot be written."""
        content = as_bytes(mail)
        file = self._file(mail.message_id, mail.planned_at)
        with _told(file):
            self._prepare(file.parent)
            hidden = _write_hidden(file.parent, content)
            try:
                _link(hidden, file)
            finally:
                _forget(hidden)
        self._unsynced.add(file.parent)
        return Receipt(str(file.relative_to(self._mails)))

    def flush(self) -> None:
        """Make the new names lasting; what the files hold is so already."""
        for day in sorted(self._unsynced):
            with _told(day):
                _sync(day)
        self._unsynced.clear()

    def look_up(self, message_id: str, planned_at: datetime) -> Trace:
        """Missing is certain: the name is taken in one step, and only when the file is whole."""
        file = self._file(message_id, planned_at)
        try:
            self._tidy(file.parent)
            file.lstat()
        except FileNotFoundError:
            return Trace.MISSING
        except OSError:
            return Trace.CANNOT_TELL
        self._unsynced.add(file.parent)
        return Trace.FOUND

    def close(self) -> None:
        pass

    def examine(self) -> None:
        """Whether files can be made where the mails lie, or where their folder is to be made."""
        there = next(path for path in (self._mails, *self._mails.parents) if os.path.lexists(path))
        with _told(there / "…"):
            if not there.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not os.access(there, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if not disk_usage(there).free:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def forget(self, message_id: str, planned_at: datetime) -> bool:
        """Remove the file of a mail whose reader is erased. False where there is none."""
        file = self._file(message_id, planned_at)
        with _told(file):
            try:
                file.unlink()
            except FileNotFoundError:
                return False
        return True

    def _file(self, message_id: str, planned_at: datetime) -> Path:
        return self._mails / f"{planned_at.astimezone(UTC):%Y-%m-%d}" / f"{message_id}.eml"

    def _prepare(self, day: Path) -> None:
        if not day.is_dir():
            _make_private(day)
        self._tidy(day)

    def _tidy(self, day: Path) -> None:
        """Once per day's folder: remove the hidden files of processes of this host that are no more."""
        if day not in self._tidied:
            for leftover in filter(_is_orphan, day.iterdir()):
                leftover.unlink(missing_ok=True)
            self._tidied.add(day)


def _write_hidden(folder: Path, content: bytes) -> Path:
    hidden = folder / f".{socket.gethostname()}.{os.getpid()}.{token_hex(8)}.tmp"
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _forget(hidden)
        raise
    return hidden


def _forget(hidden: Path) -> None:
    """Remove it; what cannot be removed now is tidied away by a later process."""
    with suppress(OSError):
        hidden.unlink()


def _link(hidden: Path, file: Path) -> None:
    try:
        file.hardlink_to(hidden)
    except FileExistsError:
        pass  # it has left already, by this very name
    except FileNotFoundError as error:
        msg = "its hidden file was taken away while it was written"
        raise TryAgain(msg) from error


def _is_orphan(file: Path) -> bool:
    match = _LEFTOVER.fullmatch(file.name)
    return match is not None and match["host"] == socket.gethostname() and not _lives(int(match["pid"]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _make_private(folder: Path) -> None:
    """The folder, and those above it that are missing, for their owner only and lasting."""
    if folder.is_dir():
        return
    _make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the file system refuses, as a TransportError that a person can act on."""
    try:
        yield
    except OSError as error:
        raise _in_words(path, error) from error


def _in_words(path: Path, error: OSError) -> TransportError:
    place = relative(path.parent)
    if error.errno in _FULL:
        return TransportError(
            f"the disk is full at {place}", hint="make room, then run again; no mail is lost"
        )
    if error.errno in _FORBIDDEN:
        hint = "check the rights of that folder, or set delivery.folder to another"
        return TransportError(f"{place} may not be written: {error.strerror}", hint=hint)
    hint = "check delivery.folder in config.yaml"
    return TransportError(f"{place} cannot be written: {error.strerror}", hint=hint)
