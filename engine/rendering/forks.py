"""The ways a template can turn out: one branch of each `{% if %}`, loops run twice or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from jinja2 import nodes

from engine.rendering.events import Event, Mark

FORKING = (nodes.If, nodes.For)
MAX_WAYS = 64


@dataclass(frozen=True)
class Turn:
    """Where one branch of a statement begins, in one way that a template can turn out."""

    node: nodes.Node
    branch: int


@dataclass
class Fork:
    """A statement with its branches, the one that is not written included."""

    node: nodes.If | nodes.For
    branches: "list[list[Part]]" = field(default_factory=lambda: [[]])

    @property
    def depth(self) -> int:
        return 1 + max(depth_of(branch) for branch in self.branches)

    @property
    def width(self) -> int:
        return max(len(self.branches), *(width_of(branch) for branch in self.branches))


Part = Event | Fork | str  # a text that was cut out of one counts as an event


def depth_of(parts: Sequence[Part]) -> int:
    """How many forks stand one within the other."""
    return max((part.depth for part in parts if isinstance(part, Fork)), default=0)


def width_of(parts: Sequence[Part]) -> int:
    """How many branches the widest fork has."""
    return max((part.width for part in parts if isinstance(part, Fork)), default=1)


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
    """The ways the template can turn out, each branch of each fork among them; at most MAX_WAYS."""
    parts = forked(events)
    for choice in islice(product(range(width_of(parts)), repeat=depth_of(parts)), MAX_WAYS):
        yield list(_way(parts, choice))


def _way(parts: Sequence[Part], choice: Sequence[int]) -> Iterator[Event | Turn]:
    """Each fork takes the branch that is chosen for its depth, or its last."""
    for part in parts:
        if isinstance(part, Fork):
            branch = min(choice[0], len(part.branches) - 1)
            yield Turn(part.node, branch)
            for _ in range(2 if isinstance(part.node, nodes.For) and branch == 0 else 1):
                yield from _way(part.branches[branch], choice[1:])
            yield Mark("close", part.node)
        elif not isinstance(part, str):
            yield part
