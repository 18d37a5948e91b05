"""Plain text derived from the HTML of a template, once for all mails.

Written for templates: what stands between the statements is turned into text where it is, and the
statements stay. A break is written behind a paragraph rather than in front of the next, so that
the paragraph in an `{% if %}` brings its own and takes it along.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from jinja2 import nodes

from engine.rendering.edits import Edits, static
from engine.rendering.markup import Tag
from engine.rendering.outline import LINES, PARAGRAPHS, Link, Outline, Piece
from engine.rendering.reading import Event, Mark, Static, Value

# How far the text has come: within a line, behind a blank, at the start of a line, of a paragraph,
# or behind the dash of a list, where no break may come.
MIDDLE, BLANK, LINE, PARAGRAPH, DASH = range(5)
MAX_ROUNDS = 8
_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_UNSEEN = re.compile(r"[\u00ad\u034f\u200b\u200c\u2007\u2060\ufeff]")


def derive_text(events: Sequence[Event], trees: Sequence[nodes.Template]) -> None:
    """Change the trees so that they write plain text."""
    outline = Outline(events)
    least: dict[int, int] = {}
    for _ in range(MAX_ROUNDS):  # until it is known how far the text has come where a loop begins again
        known = dict(least)
        teller = _Teller(outline, least)
        teller.tell(0, len(outline.read))
        if least == known:
            break
    teller.edits.apply(trees)


@dataclass
class _Fork:
    """How far the text had come where a statement opened, and where its branches ended."""

    entry: int
    exits: list[int] = field(default_factory=list)


class _Teller:
    """One pass over a document. `least` holds how far the text has come, at the least, by place."""

    def __init__(self, outline: Outline, least: dict[int, int]) -> None:
        self.outline = outline
        self.edits = Edits()
        self._least = least
        self._state = PARAGRAPH
        self._words: list[str | nodes.Expr] = []  # of the static part at hand
        self._said = 0  # how often anything was said
        self._gap = False  # a blank is owed behind a target told in its place
        self._forks: list[_Fork] = []
        self._lists: list[int | None] = []  # the next number; None: a dash
        self._links: list[int] = []  # how much had been said where each open link began
        self._captured: list[int] = []  # how far the text had come at each open `{% set %}`
        self._pre = 0

    def tell(self, start: int, end: int) -> None:
        number = start
        while number < end:
            number += self._event(number)

    def _event(self, number: int) -> int:
        """Tell one event; say how many events that were, with those that go with it."""
        pieces = self.outline.read[number]
        match pieces[0].event if pieces else None:
            case Static() as event:
                self._static(event, pieces)
            case Value() as event:
                return 1 + self._value(event, pieces[0], number)
            case Mark() as event:
                return self._mark(event, pieces[0], number)
        return 1

    def _sees(self, piece: Piece) -> bool:
        """What is captured under a name may be shown anywhere."""
        return piece.seen or bool(self._captured)

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    def _value(self, event: Value, piece: Piece, number: int) -> int:
        """Tell a value or leave it out; say how many of the events that follow go with it."""
        if event.role != "output":
            return self._aside(number + 1, event.expands)
        if not (self._sees(piece) and piece.told):
            self.edits.replace(event.node, ())
            return event.expands
        if event.writes:
            self._state, self._gap = MIDDLE, piece.kept
            self._said += 1
        return 0

    def _aside(self, start: int, count: int) -> int:
        """Tell what is written, but not here."""
        state, self._state = self._state, PARAGRAPH
        self.tell(start, start + count)
        self._state = state
        return count

    # ── statements ──────────────────────────────────────────────────────────────────────────────

    def _mark(self, event: Mark, piece: Piece, number: int) -> int:
        told = self._sees(piece) and piece.told
        match event.node:
            case nodes.Include() | nodes.CallBlock() | nodes.FilterBlock() if (
                event.kind == "open" and not told
            ):
                self.edits.replace(event.node, ())
                return self._length(number)
            case nodes.AssignBlock():
                self._capture(event)
            case nodes.If() | nodes.For():
                self._fork(event, event.node)
        return 1

    def _length(self, number: int) -> int:
        """How many events a statement spans, from where it opens to where it closes."""
        depth = 0
        for length, pieces in enumerate(self.outline.read[number:], 1):
            event = pieces[0].event if pieces else None
            depth += {"open": 1, "close": -1}.get(event.kind, 0) if isinstance(event, Mark) else 0
            if depth == 0:
                return length
        return 1

    def _capture(self, event: Mark) -> None:
        if event.kind == "open":
            self._captured.append(self._state)
            self._state = PARAGRAPH
        else:
            self._state = self._captured.pop()

    def _fork(self, event: Mark, node: nodes.If | nodes.For) -> None:
        if event.kind == "open":
            self._forks.append(_Fork(self._state))
            self._at_least(node) if isinstance(node, nodes.For) else None
            return
        fork = self._forks[-1]
        fork.exits.append(self._state)
        if isinstance(node, nodes.For) and len(fork.exits) == 1:
            self._least[id(node)] = min(self._least.get(id(node), DASH), self._state)
        if event.kind == "branch":
            self._state = fork.entry
        else:
            skipped = [] if node.else_ else [fork.entry]
            self._state = min(fork.exits + skipped)
            self._forks.pop()

    def _at_least(self, node: nodes.Node) -> None:
        """Go on from no further than the text has come here on any way that leads here."""
        self._state = self._least[id(node)] = min(self._state, self._least.get(id(node), DASH))

    # ── static text ─────────────────────────────────────────────────────────────────────────────

    def _static(self, event: Static, pieces: Sequence[Piece]) -> None:
        self._at_least(event.node)
        self._words = []
        for piece in pieces:
            if self._sees(piece):
                self._stretch(piece)
        self.edits.replace(event.node, [_node(word, event.node) for word in self._words])

    def _stretch(self, piece: Piece) -> None:
        if piece.tag:
            self._tag(piece.tag)
        elif piece.kept:
            self._say(html.unescape(piece.text))
            self._gap = True
        elif piece.told:
            self._text(piece.text)
        elif self._gap:
            self._say(" ")
            self._gap = False

    def _text(self, written: str) -> None:
        said = html.unescape(written)
        if not self._pre:
            said = _UNSEEN.sub("", _SPACE.sub(" ", said))
            said = said.lstrip(" ") if self._state >= BLANK else said
        self._say(said)

    def _say(self, said: str) -> None:
        if said:
            self._words.append(said)
            self._said += bool(said.strip())
            self._state = LINE if said.endswith("\n") else BLANK if said.endswith(" ") else MIDDLE

    def _break(self, state: int) -> None:
        """Begin a new line or paragraph, unless one has just begun."""
        if self._state < state:
            self._trim()
            self._words.append("\n\n" if state == PARAGRAPH and self._state < LINE else "\n")
            self._state = state

    def _trim(self) -> None:
        if self._words and isinstance(self._words[-1], str):
            self._words[-1] = self._words[-1].rstrip(" ")

    # ── tags ────────────────────────────────────────────────────────────────────────────────────

    def _tag(self, tag: Tag) -> None:
        match tag.name:
            case "br":
                self._break(LINE if self._state < LINE else PARAGRAPH)
            case "a":
                self._link(tag)
            case "img":
                self._picture(tag)
            case "ul" | "ol":
                self._list(tag)
            case "li" if not tag.closing:
                self._item()
            case "td" | "th" if not tag.closing and self._state == MIDDLE:
                self._say(" ")
            case "pre":
                self._break(PARAGRAPH)
                self._pre += -1 if tag.closing else 1
            case "hr":
                self._rule()
            case name if name in PARAGRAPHS:
                self._break(PARAGRAPH)
            case name if name in LINES:
                self._break(LINE)

    def _link(self, tag: Tag) -> None:
        """Tell where a link goes, behind its text."""
        if not tag.closing:
            self._links.append(self._said)
            return
        wrote = self._said > self._links.pop() if self._links else True
        link = self.outline.links.get(tag.start)
        if link and link.target and not (link.told and wrote):
            self._target(link, wrote=wrote)

    def _target(self, link: Link, *, wrote: bool) -> None:
        if self._state == BLANK:
            self._trim()
        before, behind = (": ", "") if link.alone else (" (", ")")
        self._words += [before, *link.target, behind] if wrote else link.target
        self._state = MIDDLE
        self._said += 1

    def _picture(self, tag: Tag) -> None:
        words = self.outline.attribute(tag, "alt")
        if any(not isinstance(word, str) or word.strip() for word in words):
            self._words += words
            self._state = MIDDLE
            self._said += 1

    def _list(self, tag: Tag) -> None:
        self._break(LINE if len(self._lists) > tag.closing else PARAGRAPH)
        if not tag.closing:
            self._lists.append(1 if tag.name == "ol" and self.outline.steady(tag) else None)
        elif self._lists:
            self._lists.pop()

    def _item(self) -> None:
        self._break(LINE)
        number = self._lists[-1] if self._lists else None
        indent = "  " * (len(self._lists) - 1)
        self._words.append(indent + ("- " if number is None else f"{number}. "))
        if self._lists and number is not None:
            self._lists[-1] = number + 1
        self._state = DASH

    def _rule(self) -> None:
        self._break(PARAGRAPH)
        self._say("---")
        self._break(PARAGRAPH)


def _node(word: str | nodes.Expr, like: nodes.Node) -> nodes.Node:
    return static(word, like) if isinstance(word, str) else word
