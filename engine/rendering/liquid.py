"""Filters by the names that Liquid has for them, for those who come from there."""

from collections.abc import Callable, Sized
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel import Locale
from babel.numbers import format_decimal, format_percent
from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError
from markupsafe import Markup, escape

Filter = Callable[..., Any]
MAX_WORDS = 10_000


def or_else(value: Any, otherwise: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002 - as in Jinja2
    """The value, unless there is none: undefined, unproven, None, false or empty. Zero is a value.

    Jinja2's own `default` lets an empty name through, and `Hello {{ '' | default('you') }}` is for that.
    """
    if isinstance(value, Undefined) or value is None or value is False:
        return otherwise
    empty = isinstance(value, Sized) and len(value) == 0
    return otherwise if empty or (boolean and not value) else value


def _number(value: Any, name: str) -> int | Decimal:
    """A number to count with; a float as it is written, so that 0.1 stays 0.1."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        msg = f"{name} needs a number, not {value!r}"
        raise FilterArgumentError(msg)
    return Decimal(str(value)) if isinstance(value, float) else value


def plus(value: Any, other: Any) -> int | Decimal:
    return _number(value, "plus") + _number(other, "plus")


def minus(value: Any, other: Any) -> int | Decimal:
    return _number(value, "minus") - _number(other, "minus")


def times(value: Any, other: Any) -> int | Decimal:
    return _number(value, "times") * _number(other, "times")


def divided_by(value: Any, other: Any) -> int | Decimal:
    """Of two whole numbers the whole part, as in Liquid."""
    left, right = _number(value, "divided_by"), _number(other, "divided_by")
    if right == 0:
        msg = "divided_by cannot divide by 0"
        raise FilterArgumentError(msg)
    return left // right if isinstance(left, int) and isinstance(right, int) else Decimal(left) / right


def at_least(value: Any, least: Any) -> int | Decimal:
    return max(_number(value, "at_least"), _number(least, "at_least"))


def at_most(value: Any, most: Any) -> int | Decimal:
    return min(_number(value, "at_most"), _number(most, "at_most"))


def pluralize(count: Any, one: str, many: str) -> str:
    """The word that goes with a count: `{{ n }} {{ n | pluralize('lesson', 'lessons') }}`."""
    return one if _number(count, "pluralize") == 1 else many


def append(value: Any, more: Any) -> str:
    return _text(value) + _text(more)


def prepend(value: Any, more: Any) -> str:
    return _text(more) + _text(value)


def remove(value: Any, part: Any) -> str:
    return _text(value).replace(_text(part), "")


def truncatewords(value: Any, words: int = 15, end: str = "…") -> str:
    """The first words of a text."""
    if not isinstance(words, int) or not 0 <= words <= MAX_WORDS:
        msg = f"truncatewords needs a number of words, not {words!r}"
        raise FilterArgumentError(msg)
    found = _text(value).split()
    return " ".join(found[:words]) + (end if len(found) > words else "")


def newline_to_br(value: Any) -> Markup:
    return Markup("<br>").join(escape(value).splitlines())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _upcase(value: Any) -> str:
    return _text(value).upper()


def _downcase(value: Any) -> str:
    return _text(value).lower()


def _strip(value: Any) -> str:
    return _text(value).strip()


def localized(locale: Locale) -> dict[str, Filter]:
    """Those that write numbers, in one language."""

    def number(value: Any, digits: int | None = None) -> str:
        """`1234.5` as `1,234.5`."""
        amount = Decimal(_number(value, "number"))
        if digits is not None:
            amount = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
        return format_decimal(amount, locale=locale, decimal_quantization=False)

    def percent(value: Any) -> str:
        """`0.66` as `66%`."""
        return format_percent(_number(value, "percent"), locale=locale)

    return {"number": number, "percent": percent}


LIQUID: dict[str, Filter] = {
    "append": append,
    "at_least": at_least,
    "at_most": at_most,
    "d": or_else,
    "default": or_else,
    "divided_by": divided_by,
    "downcase": _downcase,
    "minus": minus,
    "newline_to_br": newline_to_br,
    "pluralize": pluralize,
    "plus": plus,
    "prepend": prepend,
    "remove": remove,
    "size": len,
    "strip": _strip,
    "times": times,
    "truncatewords": truncatewords,
    "upcase": _upcase,
}
ALIASES = {"strip_html": "striptags", "url_encode": "urlencode"}  # ours: the name that Jinja2 has
