"""Plain text derived from the HTML of a template, once for all mails.

Written for templates: what stands between the statements is turned into text where it is, and the
statements stay. See `pen` for how blanks and breaks come out right on every way through them.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

from jinja2 import nodes

from engine.rendering.edits import Edits, static
from engine.rendering.events import Event, Mark, Static, Value
from engine.rendering.markup import Tag
from engine.rendering.outline import LINES, PARAGRAPHS, Link, Outline, Piece
from engine.rendering.pen import BLANK, DASH, LINE, MIDDLE, PARAGRAPH, Pen

MAX_ROUNDS = 8
WHOLE = (nodes.Include, nodes.CallBlock, nodes.FilterBlock)  # statements left out with all they write


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
    teller.edits().apply(trees)


@dataclass
class _Fork:
    """How far the text had come where a statement opened, and where its branches ended."""

    entry: int
    exits: list[int] = field(default_factory=list)


class _Teller:
    """One pass over a document. `least` holds how far the text has come, at the least, by node."""

    def __init__(self, outline: Outline, least: dict[int, int]) -> None:
        self.outline = outline
        self.pen = Pen()
        self._least = least
        self._told: list[tuple[nodes.TemplateData, list[str | nodes.Node]]] = []
        self._left_out: list[nodes.Node] = []
        self._forks: list[_Fork] = []
        self._captured: list[int] = []  # how far the text had come at each open `{% set %}`
        self._lists: list[int | None] = []  # the next number; None: a dash
        self._links: list[int] = []  # how much had been said where each open link began
        self._pre = 0
        self._gap = False  # a blank is owed behind a target told in its place

    def edits(self) -> Edits:
        """What has to change in the trees."""
        edits = Edits()
        for node, words in self._told:
            edits.replace(node, [static(w, node) if isinstance(w, str) else w for w in words])
        for left_out in self._left_out:
            edits.replace(left_out, ())
        return edits

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
            self._left_out.append(event.node)
            return event.expands
        if event.writes:
            self.pen.spoken()
            self._gap = piece.kept
        return 0

    def _aside(self, start: int, count: int) -> int:
        """Tell what is written, but not here."""
        state, self.pen.state = self.pen.state, PARAGRAPH
        self.tell(start, start + count)
        self.pen.state = state
        return count

    # ── statements ──────────────────────────────────────────────────────────────────────────────

    def _mark(self, event: Mark, piece: Piece, number: int) -> int:
        if isinstance(event.node, WHOLE) and event.kind == "open" and not (self._sees(piece) and piece.told):
            self._left_out.append(event.node)
            return self._length(number)
        match event.node:
            case nodes.AssignBlock():
                self._capture(event)
            case nodes.If() | nodes.For():
                self._fork(event, number)
        return 1

    def _length(self, number: int) -> int:
        """How many events a statement spans, from where it opens to where it closes."""
        depth = 0
        for length, pieces in enumerate(self.outline.read[number:], 1):
            event = pieces[0].event if pieces else None
            depth += event.step if isinstance(event, Mark) else 0
            if depth == 0:
                return length
        return 1

    def _capture(self, event: Mark) -> None:
        if event.kind == "open":
            self._captured.append(self.pen.state)
            self.pen.state = PARAGRAPH
        else:
            self.pen.state = self._captured.pop()

    def _fork(self, event: Mark, number: int) -> None:
        if event.kind == "open":
            self._forks.append(_Fork(self.pen.state))
            if isinstance(event.node, nodes.For):
                self._join(event.node)
            return
        fork = self._forks[-1]
        if isinstance(event.node, nodes.For) and not fork.exits:
            self._least[id(event.node)] = min(self._least[id(event.node)], self.pen.state)
        else:
            self._even_out(fork, number)
        fork.exits.append(self.pen.state)
        self.pen.state = fork.entry
        if event.kind == "close":
            self._close(self._forks.pop(), event.node)

    def _close(self, fork: _Fork, node: nodes.Node) -> None:
        """Go on from where the branch ended that came least far; there may be one that writes nothing."""
        always = isinstance(node, nodes.If | nodes.For) and node.else_
        self.pen.state = min(fork.exits if always else [*fork.exits, fork.entry])

    def _even_out(self, fork: _Fork, number: int) -> None:
        """Let a branch that ends with a line end with a paragraph, where one began with it."""
        before = self.outline.read[number - 1]
        if self.pen.state == LINE and fork.entry == PARAGRAPH and before and before[0].stretch:
            self.pen.paragraph()

    def _join(self, node: nodes.Node) -> None:
        """Go on from no further than the text has come here on any way that leads here."""
        self.pen.state = min(self.pen.state, self._least.get(id(node), DASH))
        self._least[id(node)] = self.pen.state

    # ── static text ─────────────────────────────────────────────────────────────────────────────

    def _static(self, event: Static, pieces: Sequence[Piece]) -> None:
        self._join(event.node)
        self._told.append((event.node, self.pen.start()))
        for piece in pieces:
            if self._sees(piece):
                self._stretch(piece)

    def _stretch(self, piece: Piece) -> None:
        if piece.tag:
            self._tag(piece.tag)
        elif piece.kept:
            self.pen.say(html.unescape(piece.text))
            self._gap = True
        elif piece.told:
            self.pen.text(piece.text, as_it_is=self._pre > 0)
        elif self._gap:
            self.pen.say(" ")
            self._gap = False

    # ── tags ────────────────────────────────────────────────────────────────────────────────────

    def _tag(self, tag: Tag) -> None:
        """Each tag that is told in a way of its own has its method below."""
        tell = getattr(self, f"_tag_{tag.name}", None)
        if tell:
            tell(tag)
        elif tag.name in PARAGRAPHS:
            self.pen.paragraph()
        elif tag.name in LINES:
            self.pen.line()

    def _tag_br(self, tag: Tag) -> None:
        if self.pen.state < LINE:
            self.pen.line()
        else:
            self.pen.paragraph()

    def _tag_a(self, tag: Tag) -> None:
        """Tell where a link goes, behind its text."""
        if not tag.closing:
            self._links.append(self.pen.count)
            return
        wrote = self.pen.count > self._links.pop() if self._links else True
        link = self.outline.links.get(tag.start)
        if link and link.target and not (link.told and wrote):
            self._target(link, wrote=wrote)

    def _target(self, link: Link, *, wrote: bool) -> None:
        if self.pen.state == BLANK:
            self.pen.trim()
        before, behind = (": ", "") if link.alone else (" (", ")")
        target = _without_blanks(link.target)
        self.pen.tell([before, *target, behind] if wrote else target)

    def _tag_img(self, tag: Tag) -> None:
        words = self.outline.attribute(tag, "alt")
        if any(not isinstance(word, str) or word.strip() for word in words):
            self.pen.tell(words)

    def _tag_ul(self, tag: Tag) -> None:
        nested = len(self._lists) > tag.closing
        self.pen.line() if nested else self.pen.paragraph()
        if not tag.closing:
            self._lists.append(1 if tag.name == "ol" and self.outline.steady(tag) else None)
        elif self._lists:
            self._lists.pop()

    _tag_ol = _tag_ul

    def _tag_li(self, tag: Tag) -> None:
        if tag.closing:
            self.pen.line()
            return
        number = self._lists[-1] if self._lists else None
        dash = "- " if number is None else f"{number}. "
        self.pen.item("  " * (len(self._lists) - 1) + dash)
        if number is not None:
            self._lists[-1] = number + 1

    def _tag_td(self, tag: Tag) -> None:
        if not tag.closing and self.pen.state == MIDDLE:
            self.pen.say(" ")

    _tag_th = _tag_td

    def _tag_pre(self, tag: Tag) -> None:
        self.pen.paragraph()
        self._pre += -1 if tag.closing else 1

    def _tag_hr(self, tag: Tag) -> None:
        self.pen.paragraph()
        self.pen.say("---")
        self.pen.paragraph()


def _without_blanks(words: Sequence[str | nodes.Node]) -> list[str | nodes.Node]:
    """An address without the blanks that its author left around it."""
    kept = list(words)
    if kept and isinstance(kept[0], str):
        kept[0] = kept[0].lstrip()
    if kept and isinstance(kept[-1], str):
        kept[-1] = kept[-1].rstrip()
    return kept
