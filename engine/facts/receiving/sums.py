"""What went back in all, told as a sum that grows, beside refunds that are told one by one, or are not."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import accumulate, pairwise


def beyond(sums: Mapping[str, Decimal], told: Decimal) -> Mapping[str, Decimal]:
    """Of each sum, by its time, what is not among the refunds that were told, and not in a sum before it.

    A later sum that is less holds: a refund that failed went out of it.
    """
    times = sorted(sums)
    left = [max(sums[time] - told, Decimal()) for time in times]
    held = [*accumulate(reversed(left), min)][::-1]
    return {
        time: mine - before for time, (before, mine) in zip(times, pairwise([Decimal(), *held]), strict=True)
    }
