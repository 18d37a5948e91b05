"""A named menu: name → thing. What is not on it is answered with "did you mean"."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from rapidfuzz import fuzz, process

from engine.errors import UnknownName

T = TypeVar("T")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known word that somebody must have meant, if there is one so near."""
    best = process.extractOne(str(name), sorted(known), scorer=fuzz.ratio, score_cutoff=65)
    return str(best[0]) if best else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known word, or lists the few there are."""
    names = sorted(known)
    meant = nearest(name, names)
    if meant is not None:
        return f"did you mean {meant!r}?"
    return f"there is: {', '.join(names)}" if 0 < len(names) <= 12 else None


def did_you_mean_one_of(name: str, known: Iterable[str], most: int = 3) -> str | None:
    """The same for names that may be many: the one that was meant, or the few that are nearest."""
    names = sorted(known)
    meant = nearest(name, names)
    if meant is not None or not names:
        return did_you_mean(name, names)
    near = [repr(found) for found, *_ in process.extract(str(name), names, scorer=fuzz.ratio, limit=most)]
    return f"the nearest there is: {', '.join(near)}"


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
