"""How sure a share or a sum is: intervals that hold the truth in 95 of 100 cases."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

Z = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """From low to high."""

    low: float
    high: float


def wilson(did: int, of: int) -> Interval:
    """Of a share, by Wilson's score: sound for few cases, and for shares near 0 and 1."""
    if not of:
        return Interval(0.0, 1.0)
    share, square = did / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return Interval(0.0 if did == 0 else middle - half, 1.0 if did == of else middle + half)


def of_a_sum(total: float, squares: float) -> Interval:
    """Of what people brought altogether, where chance decides how many came as well as what each brought.

    Normal, with the variance of a compound Poisson sum: the sum of what each brought, `squares`.
    """
    half = Z * sqrt(squares)
    return Interval(total - half, total + half)
