"""Filters beyond Jinja's own: money and dates as the language of a mail writes them."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, is_currency
from jinja2.exceptions import FilterArgumentError

from engine.errors import SettingsError
from engine.rendering.liquid import LIQUID, localized
from engine.settings.model import Settings

NAMED_FORMATS = ("short", "medium", "long", "full")
_CODE = re.compile(r"%(-?[a-zA-Z%])|([^%]+)|(%)")
_BABEL = {
    "A": "EEEE",
    "a": "EEE",
    "B": "MMMM",
    "b": "MMM",
    "d": "dd",
    "-d": "d",
    "m": "MM",
    "-m": "M",
    "Y": "yyyy",
    "y": "yy",
    "H": "HH",
    "-H": "H",
    "I": "hh",
    "-I": "h",
    "M": "mm",
    "p": "a",
}

DAYS, PRICES = 1_000, 1_000  # remembered as they are written: a mail to everybody names the same ones


def filters(settings: Settings, language: str = "") -> dict[str, Callable[..., Any]]:
    """The filters by name, for one shop's currency, in a language; by default in the shop's."""
    locale = Locale.parse(language, sep="-") if language else shop_locale(settings.shop.locale)

    @lru_cache(maxsize=PRICES, typed=True)
    def written(amount: int | float | Decimal, currency: str) -> str:
        return format_currency(amount, currency, locale=locale)

    def money(value: Any, currency: str = settings.shop.currency) -> str:
        """`97` as `$97.00`."""
        return written(_amount(value), _currency(currency))

    def money_without_trailing_zeros(value: Any, currency: str = settings.shop.currency) -> str:
        """`97` as `$97`, and `97.5` as `$97.50`."""
        whole = _amount(value) == int(value)
        form = locale.currency_formats["standard"].pattern.replace(".00", "") if whole else None
        return format_currency(value, _currency(currency), form, locale=locale, currency_digits=not whole)

    @lru_cache(maxsize=DAYS)
    def day(value: date, form: str) -> str:
        return format_date(value, form, locale=locale)

    def formatted_date(value: Any, form: str = "long") -> str:
        """A day or an instant as `%B %d`, or as short, medium, long or full."""
        if not isinstance(value, date):
            msg = f"date needs a date, not {value!r}"
            raise FilterArgumentError(msg)
        if form in NAMED_FORMATS:
            return day(value.date() if isinstance(value, datetime) else value, form)
        return _by_pattern(value, _pattern(form), locale)

    own = {
        "date": formatted_date,
        "money": money,
        "money_without_trailing_zeros": money_without_trailing_zeros,
    }
    return {**LIQUID, **localized(locale), **own}


def _amount(value: Any) -> int | float | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        msg = f"money needs a number, not {value!r}"
        raise FilterArgumentError(msg)
    return value


def _currency(code: Any) -> str:
    if not isinstance(code, str) or not is_currency(code):
        msg = f"{code!r} is not a currency"
        raise FilterArgumentError(msg)
    return code


def shop_locale(name: str) -> Locale:
    """The language and country of `shop.locale`, or SettingsError."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError) as error:
        msg = f"shop.locale: {name!r} is not a language that is known here"
        raise SettingsError(msg, hint="write en, en-GB or de") from error


def _by_pattern(value: date, pattern: str, locale: Locale) -> str:
    if isinstance(value, datetime):
        return format_datetime(value, pattern, tzinfo=value.tzinfo, locale=locale)
    return format_date(value, pattern, locale=locale)


def _pattern(form: str) -> str:
    """`%d %B` in the letters of Babel, so that names of months come in the shop's language."""
    pieces = [_piece(form, *found.groups()) for found in _CODE.finditer(form)]
    runs = groupby(pieces, key=lambda piece: piece[0])
    return "".join((_quoted if literal else str)("".join(text for _, text in run)) for literal, run in runs)


def _piece(form: str, code: str | None, literal: str | None, stray: str | None) -> tuple[bool, str]:
    """A piece of the format: whether it stands for itself, and what it is."""
    if literal is not None or code == "%":
        return True, literal or "%"
    if stray or code not in _BABEL:
        msg = f"the date format {form!r} cannot be read; write it as '%B %d' or 'long'"
        raise FilterArgumentError(msg)
    return False, _BABEL[code]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
