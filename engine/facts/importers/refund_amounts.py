"""What went back, in the shop's currency: at the rate at which its order was changed."""

from decimal import Decimal
from typing import NamedTuple

from babel.numbers import get_currency_precision


class Paid(NamedTuple):
    """What an order cost: in the shop's currency, and as it was charged."""

    amount: int
    currency: str
    charged: int


def at_its_rate(charged: int, most: int, paid: Paid) -> int:
    """The amount for what was charged back; `most` was paid for it, in the shop's currency."""
    if paid.charged in (paid.amount, 0):
        return charged
    return near(round(Decimal(charged) * paid.amount / paid.charged), most)


def near(amount: int, most: int) -> int:
    """A unit that the exchange rounded away does not make a full refund a partial one."""
    return most if abs(amount - most) <= 1 else amount


def as_charged(amount: int, paid: Paid) -> int:
    """What was charged back, as near as the amount tells it."""
    return round(Decimal(amount) * paid.charged / paid.amount) if paid.amount else amount


def in_units_of(currency: str, charged: int, before: str) -> int:
    """The same number in the minor units of another currency: it was that of the order by mistake."""
    return int(Decimal(charged).scaleb(get_currency_precision(currency) - get_currency_precision(before)))
