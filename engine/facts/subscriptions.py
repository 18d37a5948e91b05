"""How a subscription stood over time: what sources said of it, as intervals without gaps.

Each statement holds until the next one. Where a subscription runs out before that, it is `expired`
from then on, though no source said so. The answer depends on the statements alone, not on the order
in which they were imported.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

EXPIRED = "expired"


class Stated(NamedTuple):
    """What a source said: how the subscription stood from `at` on. Instants in UTC microseconds."""

    at: int
    sku: str
    status: str
    renews_at: int | None
    ends_at: int | None


class Interval(NamedTuple):
    """How it stood from `at` until `until`, or ever since; in the order of the table's columns."""

    at: int
    sku: str
    status: str
    renews_at: int | None
    ends_at: int | None
    until: int | None
    derived: bool  # no source said so


def intervals_of(stated: Iterable[Stated]) -> Iterator[Interval]:
    """The intervals of one subscription, in order of time; no two statements have the same `at`."""
    for each, following in pairwise((*sorted(stated), None)):
        if each is not None:
            yield from _from(each, following.at if following else None)


def _from(stated: Stated, until: int | None) -> Iterator[Interval]:
    end = _end(stated)
    if end is None or (until is not None and end >= until):
        yield Interval(*stated, until, derived=False)
        return
    yield Interval(*stated, end, derived=False)
    yield Interval(end, stated.sku, EXPIRED, None, stated.ends_at, until, derived=True)


def _end(stated: Stated) -> int | None:
    """When it runs out. One that ends as it is stated still stands for a microsecond, to be seen."""
    if stated.ends_at is None or stated.status == EXPIRED:
        return None
    return max(stated.ends_at, stated.at + 1)
