"""A named menu: name → thing. What is not on it is answered with "did you mean"."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from rapidfuzz import fuzz, process

from engine.errors import UnknownName

T = TypeVar("T")


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known word, or lists the few there are."""
    names = sorted(known)
    best = process.extractOne(str(name), names, scorer=fuzz.ratio, score_cutoff=65)
    if best:
        return f"did you mean {best[0]!r}?"
    return f"there is: {', '.join(names)}" if 0 < len(names) <= 12 else None


class Menu(Mapping[str, T], Generic[T]):
    """The things of one kind that can be named in a file, in the order written."""

    def __init__(self, kind: str, things: Mapping[str, T]) -> None:
        self.kind = kind
        self._things = dict(things)

    def __getitem__(self, name: str) -> T:
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def choose(self, name: str) -> T:
        """The thing of that name, or UnknownName with the nearest."""
        if name not in self._things:
            msg = f"unknown {self.kind} {name!r}"
            raise UnknownName(msg, hint=did_you_mean(name, self._things))
        return self._things[name]
