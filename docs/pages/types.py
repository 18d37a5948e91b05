"""Types as the writer of a file would call them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.campaigns.form import EntryField, Id, PercentField, RuleData
from engine.clock import Duration, InstantField
from engine.rules.conditions.attribute import Scalar
from engine.settings import Currency, Line, Mailbox, Percent, ZoneName

NAMED: list[tuple[Any, str]] = [
    (Duration, "duration"),
    (InstantField, "instant"),
    (Percent, "percentage"),
    (PercentField, "percentage"),
    (RuleData, "rule"),
    (EntryField, "`once`, `every_time` or `{again_after: duration}`"),
    (Id, "id: small letters, digits, hyphens"),
    (Scalar, "text, number, `true` or `false`"),
    (ZoneName, "time zone, such as `Europe/Berlin`"),
    (Mailbox, "e-mail address"),
    (Currency, "currency"),
    (Line, "text, one line"),
    (str, "text"),
    (bool, "`true` or `false`"),
    (int, "whole number"),
    (Decimal, "number"),
    (datetime, "instant"),
]


def type_in_words(annotation: Any) -> str:
    """Such as `duration` or `list of text`; that a value may be left out is told by its default."""
    for known, said in NAMED:
        if annotation == known:
            return said
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_in_words(parts[0])
    if origin in (Union, UnionType):
        return " or ".join(type_in_words(part) for part in parts if part is not NoneType)
    if origin is Literal:
        return _either([f"`{str(value).lower() if value is True else value}`" for value in parts])
    if origin is Mapping:
        return "list of ids, or `{id: name}`"
    if origin is tuple:
        return f"list of {type_in_words(parts[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model(annotation)
    msg = f"{annotation} has no name in the reference yet"
    raise TypeError(msg)


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _model(model: type[BaseModel]) -> str:
    return f"`{{{', '.join(model.model_fields)}}}`"


def limits(field: FieldInfo) -> str:
    """Such as `1 to 1000`; empty where there are none."""
    found = {
        key: getattr(limit, key) for limit in field.metadata for key in ("ge", "le") if hasattr(limit, key)
    }
    low, high = found.get("ge"), found.get("le")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"{low} or more" if low is not None else ""
