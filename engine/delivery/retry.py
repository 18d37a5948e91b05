"""When to try again what is known not to have left."""

from datetime import timedelta

FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=1)


def pause_after(attempt: int) -> timedelta:
    """How long to wait after that attempt (the first is 1): a minute, then twice as long, up to an hour."""
    doublings = min(attempt - 1, 10)
    return min(FIRST * (1 << doublings), LONGEST)
