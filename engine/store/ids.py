"""Customer ids: 63-bit integers in order of time, from no sequence.

The upper 32 bits are seconds since 2020, the lower 31 count on from a random start, so that
several importers on several machines can make them without asking each other.
"""

import random
import secrets
from collections.abc import Iterator

from engine.clock import Clock, SystemClock

_EPOCH_2020 = 1_577_836_800
_LOW_BITS = 31
_HEADROOM = 1 << 26


def mark() -> int:
    """A number that no other row will get. It tells no order."""
    return secrets.randbits(62)


class IdFactory:
    """Makes customer ids; seeded in tests, so that the same story gives the same ids."""

    def __init__(self, clock: Clock | None = None, seed: int | None = None) -> None:
        self._clock = clock or SystemClock()
        self._random = random.Random(seed)  # noqa: S311 - ids need not be secret; links are signed
        self._ids = self._from_now()

    def next(self) -> int:
        return next(self._ids)

    def _from_now(self) -> Iterator[int]:
        second = int(self._clock.now().timestamp()) - _EPOCH_2020
        low = self._random.randrange((1 << _LOW_BITS) - _HEADROOM)
        while True:
            yield (second << _LOW_BITS) | low
            low += 1
            if low >= 1 << _LOW_BITS:
                second, low = second + 1, 0
