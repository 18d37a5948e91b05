"""Death at a chosen step: whatever a deliverer does outside its own memory may be the last it does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine.store.connect import Store


class Death(BaseException):
    """The process is gone. Whatever still runs after it (a `finally`, a handler) dies at its next step."""


class Fate:
    """Counts steps, and is deadly from the given one on. `trail` names the steps taken."""

    def __init__(self, deadly: int | None) -> None:
        self._deadly = deadly
        self.trail: list[str] = []

    def step(self, name: str) -> None:
        if self._deadly is not None and len(self.trail) >= self._deadly:
            raise Death(name)
        self.trail.append(name)

    def around(self, name: str, call: Any) -> Any:
        """The same call, with a chance to die before and after it."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.step(f"before {name}")
            result = call(*args, **kwargs)
            self.step(f"after {name}")
            return result

        return wrapped


class MortalStore:
    """A store whose every transaction may be cut off: before it begins, before and after its commit."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    @contextmanager
    def writing(self) -> Iterator[Any]:
        self._fate.step("begin")
        with self._store.writing() as connection:
            yield connection
            self._fate.step("before commit")
        self._fate.step("after commit")

    @contextmanager
    def reading(self) -> Iterator[Any]:
        self._fate.step("read")
        with self._store.reading() as connection:
            yield connection


class Mortal:
    """Anything with methods, each of which may be the last call."""

    def __init__(self, thing: Any, fate: Fate, *names: str) -> None:
        self._thing = thing
        for name in names:
            setattr(self, name, fate.around(name, getattr(thing, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._thing, name)


@contextmanager
def mortal_file_system(fate: Fate) -> Iterator[None]:
    """Each call that changes a folder, or makes it lasting, may be the last."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("mkdir", "open", "fsync", "link", "unlink"):
            patch.setattr(os, name, fate.around(name, getattr(os, name)))
        yield
