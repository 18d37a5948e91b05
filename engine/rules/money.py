"""Amounts in rules: written in the shop's currency, compared in its minor units."""

import math
from decimal import Decimal


def minor_at_least(amount: Decimal, minor_units: int) -> int:
    """The smallest whole number of minor units that is at least the amount."""
    return math.ceil(amount * minor_units)


def minor_at_most(amount: Decimal, minor_units: int) -> int:
    """The largest whole number of minor units that is at most the amount."""
    return math.floor(amount * minor_units)


def in_words(minor: int, minor_units: int) -> str:
    """Minor units as an amount: 9700 of 100 to one → `97.00`."""
    return f"{Decimal(minor) / minor_units:.{len(str(minor_units)) - 1}f}"
