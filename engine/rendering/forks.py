"""The ways a template can turn out: one branch of each `{% if %}`, loops run twice or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jinja2 import nodes

from engine.rendering.events import Event, Mark

FORKING = (nodes.If, nodes.For)
MAX_WAYS = 100


@dataclass(frozen=True)
class Turn:
    """Where one branch of a statement begins, in one way that a template can turn out."""

    node: nodes.Node
    branch: int


@dataclass(eq=False)
class Fork:
    """A statement with its branches, the one that is not written included."""

    node: nodes.If | nodes.For
    branches: "list[list[Part]]" = field(default_factory=lambda: [[]])

    @cached_property
    def ways(self) -> int:
        """In how many ways every branch within it is taken once."""
        return sum(map(count_ways, self.branches))

    def choose(self, way: int) -> tuple[int, int]:
        """The branch that a way takes, and which of the ways within that branch."""
        rest = way % self.ways
        for branch, parts in enumerate(self.branches):
            ways = count_ways(parts)
            if rest < ways:
                return branch, rest
            rest -= ways
        raise AssertionError


Part = Event | Fork | str  # a text that was cut out of one counts as an event


def count_ways(parts: Sequence[Part]) -> int:
    return max((part.ways for part in parts if isinstance(part, Fork)), default=1)


def forked(events: Sequence[Event | str]) -> list[Part]:
    """The events with each `{% if %}` and `{% for %}` as one fork."""
    levels: list[list[Part]] = [[]]
    forks: list[Fork] = []
    for event in events:
        if not (isinstance(event, Mark) and isinstance(event.node, FORKING)):
            levels[-1].append(event)
        elif event.kind == "open":
            forks.append(Fork(event.node))
            levels.append(forks[-1].branches[-1])
        elif event.kind == "branch":
            forks[-1].branches.append([])
            levels[-1] = forks[-1].branches[-1]
        else:
            levels.pop()
            levels[-1].append(_closed(forks.pop()))
    return levels[0]


def _closed(fork: Fork) -> Fork:
    """With the branch that writes nothing, where no `{% else %}` does."""
    if not fork.node.else_:
        fork.branches.append([])
    return fork


def ways(events: Sequence[Event]) -> Iterator[list[Event | Turn]]:
    """The ways the template can turn out, each branch among them and each beside others; up to MAX_WAYS."""
    parts = forked(events)
    for way in range(min(count_ways(parts), MAX_WAYS)):
        for shift in (0, 1) if count_ways(parts) > 1 else (0,):
            yield list(_way(parts, way, shift))


def _way(parts: Sequence[Part], way: int, shift: int) -> Iterator[Event | Turn]:
    """One way. With a shift, forks that stand side by side do not all take the same turn."""
    beside = 0
    for part in parts:
        if isinstance(part, Fork):
            branch, rest = part.choose(way + shift * beside)
            beside += 1
            yield Turn(part.node, branch)
            for _ in range(2 if isinstance(part.node, nodes.For) and branch == 0 else 1):
                yield from _way(part.branches[branch], rest, shift)
            yield Mark("close", part.node)
        elif not isinstance(part, str):
            yield part
