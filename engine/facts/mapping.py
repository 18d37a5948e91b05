"""MAP.yaml: how somebody else's file says what ours would say.

`load_mapping` reads one; every mistake in it is found at once, with file, line and column.
"""

import codecs
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from engine.documents import Document, read_document, validate
from engine.errors import Problem, Problems
from engine.facts.reading import WHITESPACE, Form
from engine.facts.values.instants import UNIX
from engine.settings import ZoneName

NAMED_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def _scalar(value: Any) -> Any:
    """A word as the file of rows would write it: YAML's `true` and `1` are text there."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
        plain = '\n\r",;0'.encode(name) == b'\n\r",;0'
    except (LookupError, UnicodeError, TypeError) as error:
        msg = f"unknown encoding {name!r}; write utf-8, latin-1 or cp1252"
        raise ValueError(msg) from error
    if not plain:
        msg = f"{name} is not built on ASCII, and cannot be read line by line; save the file as UTF-8"
        raise ValueError(msg)
    return name


def _delimiter(name: str) -> str:
    found = NAMED_DELIMITERS.get(name, name)
    if found != WHITESPACE and (len(found) != 1 or found in '"\r\n' or ord(found) > 127):
        msg = f"{name!r} is not a delimiter; write one character, tab or whitespace"
        raise ValueError(msg)
    return found


def _layout(text: str) -> str:
    """A layout of dates is good when a date written in it can be read again, day and year included."""
    try:
        sample = datetime(2026, 12, 24, 9, 30, 15)  # noqa: DTZ001 - a wall-clock time, to try the layout
        good = text == UNIX or datetime.strptime(sample.strftime(text), text).date() == sample.date()  # noqa: DTZ007
    except ValueError as error:
        msg = f"{text!r} is not a layout of dates ({error}); write it as %Y-%m-%d %H:%M:%S"
        raise ValueError(msg) from error
    if not good:
        msg = f"{text!r} leaves out the year, the month or the day"
        raise ValueError(msg)
    return text


Text = Annotated[str, BeforeValidator(_scalar)]
Layout = Annotated[str, AfterValidator(_layout)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Delimiter = Annotated[str, AfterValidator(_delimiter)]
Tidying = Literal["float_id", "lower", "upper"]


class Part(BaseModel):
    """A section of a map: an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dates(Part):
    """How instants are written, and where the clock hung that they were read from."""

    format: Layout | None = None
    zone: ZoneName | None = None

    @property
    def place(self) -> ZoneInfo | None:
        return ZoneInfo(self.zone) if self.zone else None


class Numbers(Part):
    """How amounts are written."""

    decimal_comma: bool = False
    thousands: Literal["", ",", ".", " ", "'"] = ""

    @model_validator(mode="after")
    def _two_marks(self) -> "Numbers":
        if self.thousands == ("," if self.decimal_comma else "."):
            msg = "the mark of the thousands and the decimal mark are the same"
            raise ValueError(msg)
        return self


class Origin(Dates):
    """Where a value comes from: a column, several put together, or the same text in every row."""

    column: Text | None = None
    join: tuple[Text, ...] = ()
    constant: Text | None = None
    clean: tuple[Tidying, ...] = ()
    values: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"column": _scalar(value)}

    @model_validator(mode="after")
    def _one_place(self) -> "Origin":
        if (self.column is not None) + bool(self.join) + (self.constant is not None) != 1:
            msg = "say exactly one of column, join and constant"
            raise ValueError(msg)
        return self


class Match(Part):
    """A question about the text of one value."""

    starts_with: Text | None = None
    equals: Text | None = Field(None, alias="is")
    one_of: tuple[Text, ...] = Field((), alias="in")
    negative: bool = False
    blank: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {value: True} if value in ("negative", "blank") else value

    @model_validator(mode="after")
    def _one_question(self) -> "Match":
        asked = (self.starts_with, self.equals, self.one_of, self.negative, self.blank)
        if sum(map(bool, asked)) != 1:
            msg = "ask exactly one of starts_with, is, in, negative and blank"
            raise ValueError(msg)
        return self

    def holds(self, text: str) -> bool:
        if self.blank:
            return not text
        if self.negative:
            return text.startswith("-")
        if self.starts_with:
            return text.startswith(self.starts_with)
        return text in (self.one_of or (self.equals,))


class When(Part):
    """Which rows are meant: those of which all this is true."""

    when: dict[str, Match] = Field(min_length=1)


class MapSpec(Part):
    """A whole map."""

    kind: str
    encoding: Encoding = "utf-8"
    delimiter: Delimiter = ","
    header: bool = True
    columns: tuple[Text, ...] = ()
    fields: dict[str, Origin] = Field(default_factory=dict)
    constants: dict[str, Text] = Field(default_factory=dict)
    dates: Dates = Dates()
    numbers: Numbers = Numbers()
    credits: When | None = None
    skip: When | None = None

    @model_validator(mode="after")
    def _names_from_one_place(self) -> "MapSpec":
        if bool(self.columns) == self.header:
            msg = "a file without a header needs its columns named; one with a header names them itself"
            raise ValueError(msg)
        if len(set(self.columns)) < len(self.columns):
            msg = "columns names one twice"
            raise ValueError(msg)
        return self

    @property
    def form(self) -> Form:
        return Form(self.encoding, self.delimiter)


class Mapping:
    """A map, and the document it was read from, so that a later finding has its place too."""

    def __init__(self, document: Document, spec: MapSpec) -> None:
        self.spec = spec
        self._document = document

    def problem(self, path: tuple[str | int, ...], message: str, hint: str | None = None) -> Problem:
        return self._document.problem(path, message, hint)


def load_mapping(path: Path) -> Mapping:
    """Read a map. Raises Problems with every mistake that can be seen without the file of rows."""
    document = read_document(path)
    if not isinstance(document.data, dict):
        raise Problems([document.problem((), "write a map as `key: value`", "begin with `kind: orders`")])
    found = validate(document, MapSpec)
    if isinstance(found, list):
        raise Problems(found)
    return Mapping(document, found)
