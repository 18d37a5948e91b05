"""Types as the writer of a file would call them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, StrictBool
from pydantic.fields import FieldInfo

from engine.campaigns.form import EntryField, Id, OnData, RuleData
from engine.campaigns.waits import DaysField, HolidaysField, HoursField, SendForm, WaitField, WhoseZone
from engine.campaigns.wording import WordsField
from engine.clock import Duration, InstantField
from engine.rules.conditions.attribute import Scalar
from engine.rules.conditions.bought import Bought
from engine.settings.values import (
    Country,
    Currency,
    Host,
    Lasting,
    Line,
    Mailbox,
    OnTheList,
    Patience,
    Percent,
    Place,
    QuietHours,
    Topic,
    ZoneName,
)

NAMED: list[tuple[Any, str]] = [
    (Duration, "duration"),
    (Lasting, "duration of at least a second"),
    (InstantField, "instant"),
    (Patience, "duration, or `forever`"),
    (Percent, "percentage"),
    (Topic, "topic"),
    (RuleData, "rule"),
    (Bought, "`{bought: {…}}`"),
    (OnData, "see [on](campaign.md#on)"),
    (EntryField, "`once`, `every_time` or `{again_after: duration}`"),
    (WaitField, "duration, or `{local_days: number}`"),
    (SendForm, "see [when a mail may go](campaign.md#when-a-mail-may-go)"),
    (
        DaysField,
        "`mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, spans such as `mon-fri`, or a list of these",
    ),
    (HoursField, "hours, such as `09:00-11:00`"),
    (WhoseZone, "`customer`, `shop` or a time zone, such as `Europe/Berlin`"),
    (
        HolidaysField,
        "`true`, `false`, a country such as `DE` or a part of one such as `DE-BY`, or a list of these",
    ),
    (QuietHours, "hours, such as `21:00-08:00`"),
    (Country, "country, two letters"),
    (WordsField, "text, one line; or `{en: text, de: text}`"),
    (WordsField | None, "text, one line; or `{en: text, de: text}`"),
    (Id, "id: small letters, digits, hyphens"),
    (Scalar, "text, number, `true` or `false`"),
    (ZoneName, "time zone, such as `Europe/Berlin`"),
    (Mailbox, "e-mail address"),
    (OnTheList, "address or `@domain`"),
    (Currency, "currency"),
    (Host, "host"),
    (Place, "folder"),
    (Line, "text, one line"),
    (str, "text"),
    (StrictBool, "`true` or `false`"),
    (bool, "`true` or `false`"),
    (SecretStr, "text that is never shown"),
    (int, "whole number"),
    (Decimal, "number"),
    (datetime, "instant"),
    (date, "day, such as `2026-12-01`"),
]


def type_in_words(annotation: Any) -> str:
    """Such as `duration` or `list of text`; that a value may be left out is told by its default."""
    named = next((said for known, said in NAMED if annotation == known), None)
    return named or _MADE_OF[get_origin(annotation)](annotation)


def _inner(annotation: Any) -> str:
    return type_in_words(get_args(annotation)[0])


def _one_of(annotation: Any) -> str:
    return " or ".join(type_in_words(part) for part in get_args(annotation) if part is not NoneType)


def _words(annotation: Any) -> str:
    words = [f"`{str(word).lower() if word is True else word}`" for word in get_args(annotation)]
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _keys(model: type[BaseModel]) -> str:
    return f"`{{{', '.join(model.model_fields)}}}`"


def _by_name(annotation: Any) -> str:
    """A number for each domain, or a name for each id."""
    _, value = get_args(annotation)
    return "number for each domain" if "int" in str(value) else "names, `{id: name}`"


_MADE_OF: Mapping[Any, Callable[[Any], str]] = {
    Annotated: _inner,
    Union: _one_of,
    UnionType: _one_of,
    Literal: _words,
    Mapping: lambda _: "list of ids, or `{id: name}`",
    dict: _by_name,
    list: lambda annotation: f"list of {_inner(annotation)}",
    tuple: lambda annotation: f"list of {_inner(annotation)}",
    None: _keys,
}


def limits(field: FieldInfo) -> str:
    """Such as `1 to 1000`; empty where there are none."""
    found = {
        key: getattr(limit, key) for limit in field.metadata for key in ("ge", "le") if hasattr(limit, key)
    }
    low, high = found.get("ge"), found.get("le")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"{low} or more" if low is not None else ""
