"""The columns of each kind of file, bound to a header: from the fields of a row to its values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.facts.refusal import Refused
from engine.facts.values import Parse

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


class Step(NamedTuple):
    """One value of a row: how it is read from the field with that index."""

    name: str
    read: Parse
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

    def values(self, fields: Sequence[str]) -> list[Any]:
        """The values of a row. Raises Refused, which names the column."""
        try:
            return [read(fields[field]) for _, read, field in self.steps]
        except Refused:
            self._complain(fields)
            raise

    def value(self, name: str, fields: Sequence[str]) -> Any | None:
        """One value of a row that may be wrong elsewhere; None where it cannot be read either."""
        for step in self.steps:
            if step.name == name and step.field < len(fields):
                try:
                    return step.read(fields[step.field])
                except Refused:
                    return None
        return None

    def _complain(self, fields: Sequence[str]) -> None:
        for name, read, field in self.steps:
            try:
                read(fields[field])
            except Refused as refused:
                raise refused.within(name) from refused


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


def reader(column: Column, manner: Manner, tidy: Sequence[Callable[[str], str]] = ()) -> Parse:
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

    return Remembered(read).__getitem__


def always(value: Any) -> Parse:
    """What a column says that is the same in every row."""
    return lambda _: value
