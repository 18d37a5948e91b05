"""Taking turns, so that whatever else the machine does falls on all of them alike."""

import time
from collections.abc import Callable
from statistics import median

Way = Callable[[], float]  # does it once, and says how long that took, in seconds


def took(do: Callable[[], object]) -> float:
    """Seconds on the wall."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def in_turn(repetitions: int, *ways: Way) -> list[float]:
    """Each way so many times, one after the other in every round; the median of each."""
    rounds = [[way() for way in ways] for _ in range(repetitions)]
    return [median(times) for times in zip(*rounds, strict=True)]
