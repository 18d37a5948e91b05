"""What was read, as one text: static parts as they are, values as a single stand-in each."""

from bisect import bisect_right
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
            said = _said(event)
            written.append(said)
            length += len(said)
        self.text = "".join(written)

    def spot(self, place: int) -> Spot | None:
        """The static part that the character at that place belongs to, if it does."""
        number = bisect_right(self.starts, place) - 1
        event = self.events[number]
        return Spot(event.node, place - self.starts[number]) if isinstance(event, Static) else None

    def within(self, start: int, end: int) -> Sequence[Event | Turn]:
        """The events that write or stand between two places."""
        return [event for _, event in self.spans(start, end)] if end > start else []

    def is_static(self, start: int, end: int) -> bool:
        """Whether the text between two places comes from one static part of one file."""
        return start == end or (
            all(isinstance(event, Static) for event in self.within(start, end))
            and (len(self.within(start, end)) == 1)
        )

    def spans(self, start: int, end: int) -> Iterator[tuple[int, Event | Turn]]:
        """The same, each with where it begins."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        last = bisect_right(self.starts, end - 1)
        yield from zip(self.starts[first:last], self.events[first:last], strict=True)

    def parts(self, start: int, end: int) -> Iterator["Stretch"]:
        """The static parts, or pieces of them, between two places."""
        for begins, event in zip(self.starts, self.events, strict=True):
            if isinstance(event, Static) and begins < end and begins + len(event.node.data) > start:
                first, last = max(start - begins, 0), min(end - begins, len(event.node.data))
                yield Stretch(event.node, first, last)


def _said(event: Event | Turn) -> str:
    if isinstance(event, Static):
        return str(event.node.data)
    return VALUE if isinstance(event, Value) and event.writes else ""
