"""Questions to the database in parts: it takes only so many values in one IN."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

AT_ONCE = 5_000
T = TypeVar("T")


def batched(values: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """The values in lists of at most `size`; none where there are none."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
