"""Which refunds count: together never more than was paid.

Money goes back in order of time, and a refund that would take back more than is left counts for nothing. It
is kept, with what it was told to be, so that the end is the same in whatever order they come: one of an
earlier time may take its place, and one that is corrected may make room for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from engine.facts.refusal import Refused

TOO_MUCH = Refused("amount is more than was paid, with what went back before it")


class Bounds(NamedTuple):
    """What an order and its lines cost; perhaps `rounded` by the exchange, by a unit for each refund."""

    order: int
    lines: Mapping[str, int]
    rounded: bool


class Back(NamedTuple):
    """Money that is told to have gone back. What came `alone` is judged; what came with its order stands."""

    alone: bool
    at: int
    ref: str
    line_ref: str
    amount: int


def too_much(backs: Iterable[Back], bounds: Bounds) -> set[str]:
    """Those of one order that count for nothing, by their names."""
    found: set[str] = set()
    by_line: Counter[str] = Counter()
    for number, back in enumerate(sorted(backs), 1):
        spare = number if bounds.rounded else 0
        of_line = by_line[back.line_ref] + back.amount
        over = by_line.total() + back.amount > bounds.order + spare
        if back.line_ref in bounds.lines:
            over = over or of_line > bounds.lines[back.line_ref] + spare
        if over and back.alone:
            found.add(back.ref)
        else:
            by_line[back.line_ref] = of_line
    return found
