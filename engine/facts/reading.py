"""A file of rows, read line by line: each row with its place, or what is wrong with it.

Nothing here looks at what a row says. A row that cannot be read costs no other row: after a quote
that is never closed, reading goes on at the line after the one that opened it. A block of lines each
of which is a row is cut in one go; any other one row by row.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate, count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from engine.errors import ImportFailed
from engine.facts.model import Place

WHITESPACE = "whitespace"
MOST_BYTES = 1_000_000  # of one row
_PEEK = 8192
_BLOCK = 65_536  # bytes that are looked at together
_SIGNS = (
    (b"PK\x03\x04", "it is an Excel workbook or another zip archive", "save it as CSV (UTF-8) first"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook", "save it as CSV (UTF-8) first"),
    (b"SQLite format 3", "it is a SQLite database", "ask it: --from sqlite:///FILE --query 'SELECT …'"),
    (b"%PDF", "it is a PDF", None),
    (codecs.BOM_UTF16_LE, "it is text in UTF-16", "save it as CSV (UTF-8) first"),
    (codecs.BOM_UTF16_BE, "it is text in UTF-16", "save it as CSV (UTF-8) first"),
)
_QUOTES = "a quote is opened and never closed, or stands inside a quoted field without being doubled"
_LONG = f"longer than {MOST_BYTES:,} bytes; is a quote never closed?"


@dataclass(frozen=True)
class Form:
    """How the text of a file is cut into rows and fields."""

    encoding: str = "utf-8"
    delimiter: str = ","


class Record(NamedTuple):
    """One row. `defect` says why it could not be read, else it is ''."""

    place: Place
    fields: list[str]
    defect: str


def records(file: BinaryIO, form: Form) -> Iterator[Record]:
    """The rows of a file that is open at its start; blank lines are none."""
    lines = _Lines(file, form.encoding)
    while block := lines.block():
        rows = _at_once(block, form)
        yield from _careful(lines, form.delimiter) if rows is None else lines.taken(rows)


def _at_once(block: Sequence[bytes], form: Form) -> list[list[str]] | None:
    """Each line as a row, in one go; None where a row may be more or less than a line."""
    try:
        text = [line.decode(form.encoding) for line in block]
        rows = list(_rows(text, form.delimiter))
    except (csv.Error, UnicodeDecodeError):
        return None
    return rows if len(rows) == len(block) and not any("\0" in line for line in text) else None


def _careful(lines: "_Lines", delimiter: str) -> Iterator[Record]:
    """Row by row, until all lines that wait are read."""
    rows = _rows(lines, delimiter)
    while lines.waiting:
        try:
            fields = next(rows)
        except csv.Error as error:
            lines.give_back()
            yield Record(lines.place(), [], _told(error))
            rows = _rows(lines, delimiter)
        else:
            if fields or lines.defect:
                yield Record(lines.place(), fields, lines.defect)
        lines.forget()


def start_of(path: Path, name: str) -> bytes:
    """The first bytes of a file. Raises ImportFailed where it cannot be read."""
    try:
        if not path.is_file():
            msg = f"{name} is not a file" if path.exists() else f"there is no file {name}"
            raise ImportFailed(msg)
        with path.open("rb") as file:
            return file.read(_PEEK)
    except OSError as error:
        msg = f"{name} cannot be read: {error.strerror}"
        raise ImportFailed(msg) from error


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == WHITESPACE:
        return map(str.split, lines)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def refuse_binary(name: str, start: bytes) -> None:
    """Raise ImportFailed for what does not begin as text, saying what it is instead."""
    for sign, what, hint in _SIGNS:
        if start.startswith(sign):
            msg = f"{name} is not a CSV file: {what}"
            raise ImportFailed(msg, hint=hint)
    strange = sum(byte < 32 and byte not in b"\t\r\n" for byte in start)
    if strange * 20 > len(start):
        msg = f"{name} is not a file of text"
        raise ImportFailed(msg, hint="is it really a CSV file?")


def _told(error: csv.Error) -> str:
    text = str(error)
    if "new-line character" in text:
        return "holds a carriage return outside quotes"
    if "field limit" in text:
        return "holds a field of more than 131,072 characters; is a quote never closed?"
    return _LONG if text == _LONG else _QUOTES


def _after_mark(file: BinaryIO) -> int:
    """Where the text begins: behind the mark that some programs put before UTF-8."""
    mark = codecs.BOM_UTF8
    return file.seek(len(mark) if file.read(len(mark)) == mark else 0)


class _Lines:
    """The lines of a file as text, and the place of those that the current row has taken."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self.defect = ""
        self.waiting: deque[bytes] = deque()  # read from the file, and not yet taken
        self._file = file
        self._encoding = encoding
        self._taken: list[bytes] = []
        self._number, self._offset, self._size = 1, _after_mark(file), 0  # of the current row

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else self._file.readline(MOST_BYTES)
        if not line:
            raise StopIteration
        self._taken.append(line)
        self._size += len(line)
        if self._size >= MOST_BYTES:
            self._refuse_length(line)
        return self._text(line)

    def block(self) -> Sequence[bytes]:
        """Some lines that wait now; none at the end of the file."""
        part = self._file.read(_BLOCK)
        if part and not part.endswith(b"\n"):
            part += self._file.readline(MOST_BYTES)
        self.waiting.extend(BytesIO(part).readlines())
        return self.waiting

    def taken(self, rows: Sequence[list[str]]) -> Iterator[Record]:
        """Rows that are one waiting line each."""
        sizes = list(map(len, self.waiting))
        self.waiting.clear()
        places = zip(count(self._number), accumulate(sizes, initial=self._offset), sizes)
        self._number += len(sizes)
        self._offset += sum(sizes)
        return (Record(place, fields, "") for place, fields in zip(places, rows, strict=False) if fields)

    def place(self) -> Place:
        return self._number, self._offset, self._size

    def forget(self) -> None:
        """The current row is done with; the next line begins another."""
        self._number += len(self._taken)
        self._offset += self._size
        self._taken.clear()
        self._size = 0
        self.defect = ""

    def give_back(self) -> None:
        """Keep only the row's first line; the others will be read again, as rows of their own."""
        self.waiting.extendleft(reversed(self._taken[1:]))
        self._size -= sum(map(len, self._taken[1:]))
        del self._taken[1:]

    def _text(self, line: bytes) -> str:
        if b"\0" in line:
            self.defect = self.defect or "holds a NUL byte"
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            self.defect = self.defect or f"is not text in {self._encoding}; name its encoding in a map"
            return line.decode(self._encoding, "replace")

    def _refuse_length(self, line: bytes) -> None:
        """Too long for a row. The rest of an endless line is passed over, so that the next can be read."""
        while len(self._taken) == 1 and line and not line.endswith(b"\n"):
            line = self._file.readline(MOST_BYTES)
            self._size += len(line)
        raise csv.Error(_LONG)
