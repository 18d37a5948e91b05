"""What a template does, in the order in which it does it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from jinja2 import nodes

from engine.rendering.sources import Source

Role = Literal["output", "test", "kept"]


@dataclass(frozen=True)
class Guard:
    """A test that encloses a part of the template, and whether it came out true there."""

    test: nodes.Node
    holds: bool


@dataclass(frozen=True)
class Static:
    """Text that is the same in every mail."""

    source: Source
    node: nodes.TemplateData


@dataclass(frozen=True)
class Value:
    """An expression: written out, tested, or kept under a name; and the guards around it.

    `expands`: so many of the events that follow are what it writes: a macro, a block, a caller.
    """

    source: Source
    node: nodes.Node
    guards: tuple[Guard, ...]
    role: Role
    expands: int = 0

    @property
    def writes(self) -> bool:
        """Whether it puts a value of its own into the mail."""
        return self.role == "output" and not self.expands


@dataclass(frozen=True)
class Mark:
    """Where a statement opens, goes on with its next branch, or closes."""

    kind: Literal["open", "branch", "close"]
    node: nodes.Node

    @property
    def step(self) -> int:
        """By how much the statements nest deeper from here on."""
        return {"open": 1, "close": -1}.get(self.kind, 0)


Event = Static | Value | Mark


def balanced(events: Iterable[object]) -> bool:
    """Whether every statement that opens among the events also closes there, and none closes more."""
    depth = 0
    for event in events:
        depth += event.step if isinstance(event, Mark) else 0
        if depth < 0:
            return False
    return depth == 0
