"""A file of text that rows are read from, whatever it was made of."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import ImportFailed
from engine.facts.reading import Form, Record, records
from engine.facts.sources import json_lines

OTHERS = {"semicolon": ";", "tab": "\t", "pipe": "|"}  # than a comma, by the words that a map has for them


@dataclass(frozen=True)
class Source:
    """What was given by that name: its text stands in `path`, as CSV or as JSON Lines."""

    name: str
    stem: str  # of the file for its rejects
    path: Path
    json: bool = False
    written_out: bool = False  # made from a source that has rows, but no lines
    floats: bool = False  # some of its numbers are a database's floating-point ones

    @property
    def plain(self) -> bool:
        """Whether a map may say how its text is written."""
        return not self.json and not self.written_out

    def header(self, form: Form) -> list[str]:
        """The names of its columns. Raises ImportFailed where they cannot be told apart."""
        with self.path.open("rb") as file:
            if self.json:
                names, line = json_lines.names(file, self.name), 1
            else:
                names, line = self._first(next(records(file, form), None))
        names = [name.strip() for name in names]
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            msg = f"{self.name}:{line}: the header names {twice!r} twice"
            raise ImportFailed(msg)
        return names

    def divided_by(self, form: Form) -> str | None:
        """What divides its header into more columns than the form's delimiter does, in a word."""
        if not self.plain:
            return None
        widths = {word: self._width(replace(form, delimiter=mark)) for word, mark in OTHERS.items()}
        widest = max(widths, key=widths.__getitem__)
        return widest if widths[widest] > self._width(form) else None

    def _width(self, form: Form) -> int:
        with self.path.open("rb") as file:
            first = next(records(file, form), None)
        return 0 if first is None or first.defect else len(first.fields)

    def records(self, form: Form, *, header: bool) -> Iterator[Record]:
        """Its rows; `header` says whether the first row of a CSV file is none."""
        if self.json:
            names = self.header(form)
            with self.path.open("rb") as file:
                yield from json_lines.records(file, names)
            return
        with self.path.open("rb") as file:
            found = records(file, form)
            if header:
                next(found, None)
            yield from self._numbered(found) if self.written_out else found

    def _numbered(self, found: Iterator[Record]) -> Iterator[Record]:
        """Where there are no lines, rows are told by their number."""
        for number, record in enumerate(found, 1):
            yield record._replace(place=(number, *record.place[1:]))

    def _first(self, first: Record | None) -> tuple[list[str], int]:
        if first is None:
            msg = f"{self.name} is empty: it has not even a header"
            raise ImportFailed(msg)
        if first.defect:
            msg = f"{self.name}:{first.place[0]}: the header {first.defect}"
            raise ImportFailed(msg)
        return first.fields, first.place[0]
