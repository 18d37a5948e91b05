"""Findings too many to keep: how many, and the first few as they were told."""

from collections.abc import Iterable
from dataclasses import dataclass

MOST = 3


@dataclass
class Examples:
    """A count, and the first few different ones."""

    count: int = 0
    first: tuple[str, ...] = ()

    def tell(self, *told: str) -> None:
        self.count += len(told)
        self._keep(told)

    def add(self, other: "Examples") -> None:
        self.count += other.count
        self._keep(other.first)

    def _keep(self, told: Iterable[str]) -> None:
        if len(self.first) < MOST:
            self.first = tuple(dict.fromkeys((*self.first, *told)))[:MOST]
