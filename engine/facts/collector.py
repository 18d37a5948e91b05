"""Python's search for cycles, asked less often while an import makes millions of rows that have none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 100_000  # new objects between two searches; Python's own habit is hundreds


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Inside, the search takes next to no time; afterwards all is as it was."""
    habit = gc.get_threshold()
    gc.set_threshold(SELDOM, *habit[1:])
    try:
        yield
    finally:
        gc.set_threshold(*habit)
