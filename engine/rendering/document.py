"""What was read, as one text: static parts as they are, values as a single stand-in each."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from engine.rendering.events import Event, Static, Value
from engine.rendering.forks import Turn

VALUE = "\N{OBJECT REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Spot:
    """A place in a static part of a template."""

    node: nodes.TemplateData
    offset: int

    @property
    def key(self) -> tuple[int, int]:
        return id(self.node), self.offset


@dataclass(frozen=True)
class Stretch:
    """A piece of a static part of a template."""

    node: nodes.TemplateData
    start: int
    end: int

    @property
    def text(self) -> str:
        return str(self.node.data)[self.start : self.end]


class Document:
    """The text of some events, and which event each part of it comes from."""

    def __init__(self, events: Iterable[Event | Turn]) -> None:
        self.events: list[Event | Turn] = list(events)
        self.starts: list[int] = []
        written: list[str] = []
        length = 0
        for event in self.events:
            self.starts.append(length)
            written.append(_said(event))
            length += len(written[-1])
        self.text = "".join(written)

    def spot(self, place: int) -> Spot | None:
        """The static part that the character at that place belongs to, if it does."""
        number = bisect_right(self.starts, place) - 1
        event = self.events[number]
        return Spot(event.node, place - self.starts[number]) if isinstance(event, Static) else None

    def spans(self, start: int, end: int) -> Iterator[tuple[int, Event | Turn]]:
        """What writes the characters between two places or stands among them, with where it begins."""
        if start < end:
            yield from self._numbered(bisect_right(self.starts, start) - 1, bisect_left(self.starts, end))

    def inside(self, start: int, end: int) -> Iterator[tuple[int, Event | Turn]]:
        """The same with what stands at the two edges themselves: all between two quotes."""
        first, last = bisect_left(self.starts, start), bisect_left(self.starts, end)
        if first == len(self.starts) or self.starts[first] > start:
            first -= 1
        while last < len(self.events) and self.starts[last] == end and not _said(self.events[last]):
            last += 1
        yield from self._numbered(first, last)

    def _numbered(self, first: int, last: int) -> Iterator[tuple[int, Event | Turn]]:
        yield from zip(self.starts[first:last], self.events[first:last], strict=True)

    def within(self, start: int, end: int) -> Sequence[Event | Turn]:
        return [event for _, event in self.spans(start, end)]

    def is_static(self, start: int, end: int) -> bool:
        """Whether the text between two places comes from one static part of one file."""
        within = self.within(start, end)
        return len(within) <= 1 and all(isinstance(event, Static) for event in within)

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """The static parts, or pieces of them, between two places."""
        for begins, event in self.spans(start, end):
            if isinstance(event, Static):
                length = len(event.node.data)
                yield Stretch(event.node, max(start - begins, 0), min(end - begins, length))


def _said(event: Event | Turn) -> str:
    if isinstance(event, Static):
        return str(event.node.data)
    return VALUE if isinstance(event, Value) and event.writes else ""
