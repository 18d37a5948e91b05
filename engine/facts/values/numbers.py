"""Numbers from a file, exact: money as Decimal and then minor units, pieces and percents as integers."""

import re
from decimal import Decimal

from engine.facts.refusal import Refused, shown
from engine.facts.values import Parse

MOST_MINOR = 10**12
MOST_PIECES = 1_000_000
FINE = 6  # 15 + 6 digits times a million pieces still fit Decimal's 28, so nothing is ever rounded
TOO_LONG, TOO_FINE = "has more digits than an amount may have", "is finer than the currency's smallest unit"
_LONG = re.compile(r"[+-]?\d*(?:\.\d*)?", re.ASCII)
_WHOLE = re.compile(r"([+-]?\d{1,9})(?:\.0{1,6})?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,6}))?\s*%?", re.ASCII)


def amounts(*, decimal_comma: bool = False, thousands: str = "", fine: int = FINE) -> Parse:
    """A parser for amounts of money in major units, as Decimal, with at most `fine` decimals."""

    point = "," if decimal_comma else "."
    exact = re.compile(rf"[+-]?(?:\d{{1,15}}(?:\.\d{{1,{fine}}})?|\.\d{{1,{fine}}})", re.ASCII)
    grouped = re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+(?:\D\d*)?", re.ASCII)

    def plain(text: str) -> str:
        if thousands and thousands in text:
            text = text.replace(thousands, "") if grouped.fullmatch(text) else ""
        if not decimal_comma:
            return text
        return "" if "." in text else text.replace(point, ".")

    def parse(text: str) -> Decimal:
        number = plain(text)
        if not exact.fullmatch(number):
            raise _unlike_an_amount(text, number, fine)
        return Decimal(number)

    return parse


def minor(amount: Decimal, digits: int) -> int:
    """An amount in minor units of a currency with so many decimal digits; exact or refused."""
    scaled = amount.scaleb(digits)
    whole = int(scaled)
    if whole != scaled:
        raise Refused(TOO_FINE, f"{amount:f}")
    if abs(whole) > MOST_MINOR:
        msg = f"is larger than {MOST_MINOR:,} of the currency's smallest unit"
        raise Refused(msg, f"{amount:f}")
    return whole


def pieces(text: str) -> int:
    """A number of pieces; the sign is kept, nothing at all is refused."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        msg = "is not a whole number"
        raise Refused(msg, shown(text))
    number = int(match[1])
    if not 1 <= abs(number) <= MOST_PIECES:
        msg = f"is not between 1 and {MOST_PIECES:,}"
        raise Refused(msg, shown(text))
    return number


def percent(text: str) -> int:
    """A percentage from 0 to 100; part percents are rounded down."""
    match = _PERCENT.fullmatch(text)
    if match is None or int(match[1]) > 100 or (int(match[1]) == 100 and int(match[2] or 0)):
        msg = "is not a percentage from 0 to 100"
        raise Refused(msg, shown(text))
    return int(match[1])


def _unlike_an_amount(text: str, plain: str, fine: int) -> Refused:
    if plain and _LONG.fullmatch(plain) and any(map(str.isdigit, plain)):
        return Refused(f"{TOO_LONG} (15 before the point, {fine} after)", shown(text))
    return Refused("is not an amount, such as 1234.50", shown(text))
