"""Amounts in rules: written in the shop's currency, compared in its minor units."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

MINOR_UNITS = 100


def minor_at_least(amount: Decimal) -> int:
    """The smallest whole number of minor units that is at least the amount."""
    return int((amount * MINOR_UNITS).to_integral_value(ROUND_CEILING))


def minor_at_most(amount: Decimal) -> int:
    """The largest whole number of minor units that is at most the amount."""
    return int((amount * MINOR_UNITS).to_integral_value(ROUND_FLOOR))


def in_words(minor: int) -> str:
    """Minor units as an amount: 9700 → `97.00`."""
    return f"{Decimal(minor) / MINOR_UNITS:.2f}"
