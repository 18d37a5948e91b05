"""Chance with a seed: the same throws in the same order, wherever and whenever."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Everything that chance decides about one customer."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - invented customers are no secret

    def happens(self, chance: float) -> bool:
        return self._random.random() < chance

    def number(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def share(self, alpha: float, beta: float) -> float:
        """Between 0 and 1, most often near alpha / (alpha + beta)."""
        return self._random.betavariate(alpha, beta)

    def days(self, low: float, high: float) -> timedelta:
        return timedelta(days=self.number(low, high))

    def days_around(self, mean: float) -> timedelta:
        """A wait that is often short and sometimes very long."""
        return timedelta(days=self._random.expovariate(1 / mean))

    def minutes(self, low: float, high: float) -> timedelta:
        return timedelta(minutes=self.number(low, high))

    def one_of(self, things: Sequence[T]) -> T:
        return self._random.choice(things)

    def weighted(self, things: Mapping[T, int]) -> T:
        """One of the keys, as likely as its weight says."""
        return self._random.choices(list(things), list(things.values()))[0]
