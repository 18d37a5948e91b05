"""The columns of each kind of file, bound to a header: from the fields of a row to its values."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from engine.facts.refusal import Refused
from engine.facts.values import Parse
from engine.facts.values.words import TextLine

REMEMBERED = 20_000
Test = Callable[[Sequence[str]], bool]


class Money(NamedTuple):
    """A currency, and how many digits its amounts have after the point."""

    currency: str
    digits: int


@dataclass(frozen=True)
class Manner:
    """How a file writes what can be written in several ways, and the money of the shop."""

    instants: Parse
    amounts: Parse
    rates: Parse
    money: Money


@dataclass(frozen=True)
class Column:
    """A column of a kind of file: how its text is read, and what a blank means."""

    name: str
    parse: Callable[[Manner], Parse]
    required: bool = False
    blank: Any = ""
    instant: bool = False


def plain(parse: Parse) -> Callable[[Manner], Parse]:
    """A parser that is the same in every file."""
    return lambda _: parse


class Reader(Protocol):
    """From the text of fields, as it stands, to a column's values."""

    def one(self, text: str) -> Any:
        """The value of one field. Raises Refused."""

    def all(self, texts: Sequence[str]) -> Sequence[Any]:
        """The values of many. Raises Refused where any cannot be read."""


class Step(NamedTuple):
    """One value of a row: how it is read from the field with that index."""

    name: str
    reader: Reader
    field: int = 0


@dataclass(frozen=True)
class Plan:
    """How to read the rows of one file: a step for each column of its kind, and one for each attribute."""

    width: int  # how many fields a row has
    steps: Sequence[Step]
    joins: Sequence[Sequence[int]] = ()  # fields to be put together, appended to the row in turn
    skip: Test | None = None
    credit: Test | None = None

    def joined(self, fields: list[str]) -> list[str]:
        """The fields of a row, and those that are made by putting some of them together."""
        return fields + ["-".join(fields[index].strip() for index in join) for join in self.joins]

    def table(self, rows: Sequence[Sequence[str]]) -> Iterable[Sequence[Any]]:
        """The values of many rows, column by column. Raises Refused where any cannot be read."""
        if not rows:
            return ()
        fields = list(zip(*rows, strict=True))
        return zip(*(reader.all(fields[field]) for _, reader, field in self.steps), strict=True)

    def values(self, fields: Sequence[str]) -> Sequence[Any]:
        """The values of a row. Raises Refused, which names the column."""
        values = []
        for name, reader, field in self.steps:
            try:
                values.append(reader.one(fields[field]))
            except Refused as refused:
                raise refused.within(name) from refused
        return values

    def value(self, name: str, fields: Sequence[str]) -> Any | None:
        """One value of a row that may be wrong elsewhere; None where it cannot be read either."""
        for step in self.steps:
            if step.name == name and step.field < len(fields):
                try:
                    return step.reader.one(fields[step.field])
                except Refused:
                    return None
        return None


class Remembered(dict[str, Any]):
    """What a column's texts were read as: most columns say the same few things again and again."""

    def __init__(self, parse: Parse) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str) -> Any:
        if len(self) >= REMEMBERED:
            self.clear()
        value = self[text] = self._parse(text)
        return value

    def one(self, text: str) -> Any:
        return self[text]

    def all(self, texts: Sequence[str]) -> Sequence[Any]:
        return list(map(self.__getitem__, texts))


class Verbatim:
    """A column of text that nearly always stands as it is to be kept; where not, `reader` reads it."""

    def __init__(
        self, reader: Reader, line: TextLine, tidy: Sequence[Callable[[str], str]], *, blank: bool
    ) -> None:
        self.one = reader.one
        self._reader = reader
        self._line = line
        self._tidy = (str.strip, *tidy)
        self._blank = blank  # whether it may be

    def all(self, texts: Sequence[str]) -> Sequence[Any]:
        found = texts
        for clean in self._tidy:
            found = list(map(clean, found))
        sound = self._line.takes_all(found) and (self._blank or all(found))
        return found if sound else self._reader.all(texts)


class Always:
    """A column that says the same in every row."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def one(self, _: str) -> Any:
        return self._value

    def all(self, texts: Sequence[str]) -> Sequence[Any]:
        return [self._value] * len(texts)


def reader(column: Column, manner: Manner, tidy: Sequence[Callable[[str], str]] = ()) -> Reader:
    """From the text of a field as it stands to the column's value."""
    parse = column.parse(manner)

    def read(text: str) -> Any:
        text = text.strip()
        for clean in tidy:
            text = clean(text)
        if text:
            return parse(text)
        if column.required:
            msg = "is blank"
            raise Refused(msg)
        return column.blank

    remembered = Remembered(read)
    if isinstance(parse, TextLine) and column.blank == "":
        return Verbatim(remembered, parse, tidy, blank=not column.required)
    return remembered
