"""The rows that did not land: each with its line, the reason, and its text as it stood.

The file is for the user's eyes only, and safe to open in a spreadsheet: no cell of it is a formula.
While an import writes it, the file is locked, so that another import of a file of that name keeps off it.
"""

import csv
import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from engine.errors import ImportFailed, relative
from engine.facts.advice import Advice
from engine.facts.locks import locked, stands
from engine.facts.model import Place
from engine.facts.refusal import Refused

MOST_SHOWN = 10_000  # bytes of one row
SUFFIX = ".rejects.csv"
_FORMULA = tuple("=+-@\t\r")


def clear(target: Path) -> None:
    """Take away the file of an earlier import; one that is being written stays."""
    try:
        handle = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    except OSError:  # a link, or what nobody may read
        target.unlink(missing_ok=True)
        return
    with os.fdopen(handle, "rb"):
        if locked(handle) and stands(handle, target):
            target.unlink(missing_ok=True)


class Rejects:
    """Writes the rejects file of one import, from the first rejected row on."""

    def __init__(self, source: Path, target: Path, encoding: str) -> None:
        self.reasons: Counter[str] = Counter()
        self.advice = Advice()
        self._source = source
        self._target = target
        self._encoding = encoding
        self._open = ExitStack()
        self._writer: Any = None
        self._original: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._open.close()

    @property
    def count(self) -> int:
        return self.reasons.total()

    @property
    def path(self) -> Path | None:
        return self._target if self._writer else None

    def add(self, place: Place, refused: Refused) -> None:
        """Note a rejected row."""
        self.reasons[refused.reason] += 1
        self.advice.see(refused)
        if self._writer is None:
            self._begin()
        self._writer.writerow((place[0], harmless(str(refused)), harmless(self._text(place))))

    def _begin(self) -> None:
        try:
            self._target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = self._opened()
        except OSError as error:
            msg = f"the rejects file {relative(self._target)} cannot be written: {error.strerror}"
            raise ImportFailed(msg) from error
        file = self._open.enter_context(os.fdopen(handle, "w", encoding="utf-8", newline=""))
        self._original = self._open.enter_context(self._source.open("rb"))
        self._writer = csv.writer(file)
        self._writer.writerow(("line", "reason", "row"))

    def _opened(self) -> int:
        """A new file of our own: one that is there was made since by another import, and is left to it."""
        names = _names(self._target)
        while True:
            self._target = next(names)
            with suppress(FileExistsError):
                handle = os.open(self._target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                fcntl.flock(handle, fcntl.LOCK_EX)
                if stands(handle, self._target):
                    return handle
                os.close(handle)  # it was cleared before it was locked

    def _text(self, place: Place) -> str:
        if self._original is None:
            return ""
        self._original.seek(place[1])
        raw = self._original.read(min(place[2], MOST_SHOWN))
        return raw.decode(self._encoding, "backslashreplace").rstrip("\r\n")


def _names(target: Path) -> Iterator[Path]:
    """The name, and then the same with numbers."""
    yield target
    stem = target.name.removesuffix(SUFFIX)
    yield from (target.with_name(f"{stem}-{number}{SUFFIX}") for number in count(2))


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
