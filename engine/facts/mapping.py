"""MAP.yaml: how somebody else's file says what ours would say.

`load_mapping` reads one; every mistake in it is found at once, with file, line and column.
"""

import codecs
from collections.abc import Sequence, Set
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from engine.documents import Document, KeyPath, problems_of, skim_document
from engine.errors import Problem, Problems
from engine.facts.reading import WHITESPACE, Form
from engine.facts.values.instants import UNIX
from engine.registry import nearest
from engine.settings.values import ZoneName

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
    """A map, and the document it was read from, so that a later finding has its place too.

    `problems` are its own mistakes. What they are in is left out of `spec`, so that the rest can be
    compared with the file of rows; `left_out` names these fields and keys.
    """

    def __init__(
        self,
        document: Document,
        spec: MapSpec,
        problems: Sequence[Problem] = (),
        left_out: Set[str] = frozenset(),
    ) -> None:
        self.spec = spec
        self.problems = problems
        self.left_out = left_out
        self._document = document

    def blind(self, path: KeyPath) -> bool:
        """Whether a finding there may come of what was left out."""
        aside = {"fields": {"fields", "constants"}, "constants": {"constants", "dates", "numbers"}}
        return bool(self.left_out & aside.get(str(path[-1]), {str(path[-1])})) or (
            path[0] == "constants" and bool(self.left_out & aside["constants"])
        )

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        return self._document.problem(path, message, hint)


def load_mapping(path: Path) -> Mapping:
    """Read a map. Raises Problems where it is so wrong that the file of rows tells nothing further."""
    document = skim_document(path)
    if not isinstance(document.data, dict):
        msg = "write a map as `key: value`"
        raise Problems([*document.problems, document.problem((), msg, "begin with `kind: orders`")])
    try:
        return Mapping(document, MapSpec.model_validate(document.data), document.problems)
    except ValidationError as error:
        problems = [*document.problems, *problems_of(document, MapSpec, error, ())]
        wrong = [finding["loc"] for finding in error.errors()]
    if not all(wrong):  # the map as a whole makes no sense
        raise Problems(problems)
    return _what_is_sound(document, wrong, problems)


def _what_is_sound(document: Document, wrong: Sequence[KeyPath], problems: Sequence[Problem]) -> Mapping:
    """The map without the fields and keys that mistakes are in."""
    data = {key: dict(part) if isinstance(part, dict) else part for key, part in document.data.items()}
    left_out = set()
    for key, *below in wrong:
        part = data.get(str(key))
        if key == "fields" and below and isinstance(part, dict):
            part.pop(str(below[0]), None)
            left_out.add(str(below[0]))
        else:
            data.pop(str(key), None)
        left_out |= {str(key), nearest(str(key), MapSpec.model_fields) or str(key)}
    try:
        return Mapping(document, MapSpec.model_validate(data), problems, left_out)
    except ValidationError:
        raise Problems(list(problems)) from None
