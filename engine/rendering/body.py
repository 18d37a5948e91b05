"""What comes below the subject: HTML and plain text, however they are made."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.rendering.preparing import Draft, Ready

HTML, TEXT = "HTML", "plain text"


Parts = Iterator[tuple[str, Draft, str]]  # what it is, the template behind it, and what it says


class Body(ABC):
    """A body that can be written for many customers."""

    @property
    @abstractmethod
    def drafts(self) -> Sequence[Draft]:
        """The templates it is written from; the first is the one that the step names."""

    @abstractmethod
    def write(self, context: Mapping[str, Any]) -> Parts:
        """Its HTML and then its text for one customer. Raises Failed."""


@dataclass(frozen=True)
class HtmlBody(Body):
    """HTML that was made ready once, and text that was derived from it or written by hand."""

    html: Ready = field(repr=False)
    text: Ready = field(repr=False)

    @property
    def drafts(self) -> Sequence[Draft]:
        return (self.html.draft, self.text.draft)

    def write(self, context: Mapping[str, Any]) -> Parts:
        yield HTML, self.html.draft, self.html.write(context)
        yield TEXT, self.text.draft, self.text.write(context)
