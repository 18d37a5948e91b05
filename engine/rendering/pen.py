"""What writes plain text: blanks gathered into one, lines and paragraphs begun where they must be.

A break is written behind what it ends rather than in front of what follows, so that a paragraph
within an `{% if %}` brings its own and takes it along. How far the text has come is one of five
states; a pen is told where branches join, and then knows the least of them.
"""

import html
import re
from collections.abc import Sequence

from jinja2 import nodes

MIDDLE, BLANK, LINE, PARAGRAPH, DASH = range(5)  # in a line, behind a blank, at the start of …
_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_INVISIBLE = re.compile(r"[\u00ad\u034f\u2007\u200b\u200c\u2060\ufeff]")  # what preheaders are padded with


class Pen:
    """Writes the words of one static part of a template after the other."""

    def __init__(self) -> None:
        self.state = PARAGRAPH
        self.words: list[str | nodes.Node] = []  # of the part at hand
        self.count = 0  # how often anything was said

    def start(self) -> list[str | nodes.Node]:
        """Begin the next part; what is said from now on goes into the list returned."""
        self.words = []
        return self.words

    def text(self, written: str, *, as_it_is: bool = False) -> None:
        """Text as it stands in HTML."""
        said = html.unescape(written)
        if not as_it_is:
            said = _INVISIBLE.sub("", _SPACE.sub(" ", said))
            said = said.lstrip(" ") if self.state >= BLANK else said
        self.say(said)

    def say(self, said: str) -> None:
        if said:
            self.words.append(said)
            self.count += bool(said.strip())
            self.state = LINE if said.endswith("\n") else BLANK if said.endswith(" ") else MIDDLE

    def tell(self, words: Sequence[str | nodes.Node]) -> None:
        """Say something that is only known in the mail."""
        self.words += words
        self.spoken()

    def spoken(self) -> None:
        """Something else has said a value."""
        self.count += 1
        self.state = MIDDLE

    def item(self, dash: str) -> None:
        """Begin an item of a list, after which no break may come before its words."""
        self.line()
        self.words.append(dash)
        self.state = DASH

    def line(self) -> None:
        """Begin a line, unless one has just begun."""
        self._come_to(LINE, "\n")

    def paragraph(self) -> None:
        """Begin a paragraph, unless one has just begun."""
        self._come_to(PARAGRAPH, "\n\n" if self.state < LINE else "\n")

    def _come_to(self, state: int, by: str) -> None:
        if self.state < state:
            self.trim()
            self.words.append(by)
            self.state = state

    def trim(self) -> None:
        """Take a blank at the end back."""
        if self.words and isinstance(self.words[-1], str):
            self.words[-1] = self.words[-1].rstrip(" ")
