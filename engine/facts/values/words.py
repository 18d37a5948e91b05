"""Words: names and references, yes and no, and words from a short list."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from babel.numbers import list_currencies

from engine.facts.refusal import Refused, shown
from engine.facts.values import Parse
from engine.registry import did_you_mean

YES = frozenset({"yes", "true", "1", "in", "y"})
NO = frozenset({"no", "false", "0", "out", "n"})
_UNWANTED = frozenset({"Cc", "Cs"})  # control characters, halves of surrogate pairs
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", re.ASCII)


class TextLine:
    """One line of text of at most `limit` characters, in Unicode's composed form (NFC)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __call__(self, value: str) -> str:
        return _checked(value, self._limit, "")

    def takes_all(self, values: Sequence[str]) -> bool:
        """Whether each of these is such a line as it stands; plain ones are told at one glance."""
        together = "".join(values)
        return together.isascii() and together.isprintable() and max(map(len, values)) <= self._limit


def text(limit: int) -> Parse:
    """A parser for one line of text."""
    return TextLine(limit)


def passage(limit: int) -> Parse:
    """The same, but it may run over several lines."""
    return lambda value: _checked(value, limit, "\n\r\t")


def choice(*words: str) -> Parse:
    """One of a few words, in any case."""

    def parse(value: str) -> str:
        word = value.lower()
        if word not in words:
            msg = f"is none of {', '.join(words)}"
            raise Refused(msg, shown(value))
        return word

    return parse


def currency(value: str) -> str:
    """The three letters of a currency."""
    code = value.upper()
    if code not in list_currencies():
        msg = "is not a currency, such as EUR"
        raise Refused(msg, shown(value))
    return code


def day(value: str) -> str:
    """A day of the calendar, in the one form in which days can be compared as text."""
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        msg = "is not a day that exists, written as 2026-12-24"
        raise Refused(msg, shown(value)) from error


def flag(value: str) -> bool:
    """Yes or no, in the words people use for it."""
    word = value.lower()
    if word not in YES and word not in NO:
        msg = "is neither yes nor no"
        raise Refused(msg, shown(value))
    return word in YES


def zone(value: str) -> str:
    """The name of a time zone."""
    if value not in _zones():
        msg = "is not a time zone, such as Europe/Berlin"
        hint = did_you_mean(value, _zones()) if len(value) <= 64 else None
        raise Refused(msg, f"{shown(value)}, {hint}" if hint else shown(value))
    return value


def locale(value: str) -> str:
    """The tag of a language, perhaps with its country."""
    if len(value) > 35 or not _LOCALE.fullmatch(value):
        msg = "is not a locale, such as en or de-AT"
        raise Refused(msg, shown(value))
    return value


def _zones() -> set[str]:
    if not _ZONES:
        _ZONES.update(available_timezones())
    return _ZONES


_ZONES: set[str] = set()


def _checked(value: str, limit: int, allowed: str) -> str:
    composed = value if value.isascii() else unicodedata.normalize("NFC", value)
    if not composed.isprintable():
        _refuse_unwanted(composed, allowed)
    if len(composed) > limit:
        msg = f"is longer than {limit:,} characters"
        raise Refused(msg, shown(composed))
    return composed


def _refuse_unwanted(value: str, allowed: str) -> None:
    for character in value:
        if unicodedata.category(character) in _UNWANTED and character not in allowed:
            msg = "holds a line break or another control character"
            raise Refused(msg, shown(value))


def as_number(value: Any) -> float | None:
    """An attribute's value as a number, where it is one."""
    return float(value) if _NUMBER.fullmatch(value) else None


_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
