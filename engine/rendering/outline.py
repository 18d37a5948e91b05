"""An HTML document as somebody reads it: its pieces in order, what is hidden, where its links go."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from engine.rendering.document import Document, Stretch
from engine.rendering.events import Event, Mark, Static, Value, balanced
from engine.rendering.forks import FORKING, Turn
from engine.rendering.markup import RAW, VOID, Attribute, Comment, Tag, matching_end, tokens
from engine.rendering.wording import Words, bare, wording

PARAGRAPHS = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "hr", "blockquote")
)
LINES = frozenset(
    ("div", "tr", "li", "dt", "dd", "body", "center", "section", "article", "header", "footer", "main")
)
BREAKING = PARAGRAPHS | LINES | {"br", "td", "th"}
UNSEEN = frozenset(("head", "template", *RAW)) - {"textarea", "xmp"}
_NOT_SHOWN = re.compile(r"(^|;)\s*display\s*:\s*none", re.I)
_NO_HEIGHT = re.compile(r"(^|;)\s*max-height\s*:\s*0(px)?\s*(!important\s*)?(;|$)", re.I)


@dataclass(frozen=True)
class Piece:
    """Part of a document: an event, or the stretch of a static part that is all text or all one tag."""

    start: int
    event: Event
    stretch: Stretch | None = None
    token: Tag | Comment | None = None  # that it is within
    seen: bool = True
    kept: bool = False  # the target of a link, told in its place

    @property
    def tag(self) -> Tag | None:
        """The tag that begins here."""
        begins = isinstance(self.token, Tag) and self.token.start == self.start and self.stretch
        return self.token if begins and isinstance(self.token, Tag) else None

    @property
    def told(self) -> bool:
        """Whether it is told where it stands: all but the insides of tags and comments."""
        return self.token is None or self.kept

    @property
    def text(self) -> str:
        """What it says, as written, where it is text."""
        return self.stretch.text if self.stretch and self.told else ""

    @property
    def said(self) -> str | nodes.Node:
        """Its text, or the expression that it writes."""
        return self.event.node if isinstance(self.event, Value) else self.text

    @property
    def writes(self) -> bool:
        """Whether a reader sees anything of it."""
        if isinstance(self.event, Value):
            return self.event.writes and self.told and self.seen
        return self.seen and bool(self.text.strip())


@dataclass(frozen=True)
class Link:
    """Where a link goes, and how it is told."""

    target: Words  # empty: told in its place already
    alone: bool  # nothing else stands in its paragraph
    told: bool  # its text is its target


class Outline:
    """A document taken apart for reading. `read` holds the pieces of each event, `pieces` all in one."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.document = Document(events)
        self._tokens = list(tokens(self.document.text))
        self._starts = [token.start for token in self._tokens]
        self._tags = [token for token in self._tokens if isinstance(token, Tag)]
        self._hidden = list(self._hidden_ranges())
        targets = list(self._targets())
        self._kept = [(href.value_start, href.value_end) for _, _, href, words in targets if not words]
        self.read = [list(self._pieces(start, event)) for start, event in self._events()]
        self.pieces = [piece for pieces in self.read for piece in pieces]
        self._begins = [piece.start for piece in self.pieces]
        self.links = dict(self._links(targets))  # by where the tags stand that open and close them

    # ── pieces ──────────────────────────────────────────────────────────────────────────────────

    def _events(self) -> Iterator[tuple[int, Event]]:
        for start, event in zip(self.document.starts, self.document.events, strict=True):
            if not isinstance(event, Turn):
                yield start, event

    def _pieces(self, start: int, event: Event) -> Iterator[Piece]:
        """The pieces of one event: of a static part perhaps several, of any other just one."""
        if isinstance(event, Static):
            yield from self._static(event, start)
        else:
            yield self._piece(start, event, self._token_around(start))

    def _static(self, event: Static, begins: int) -> Iterator[Piece]:
        """The stretches of a static part: each all text, or within one tag or comment."""
        place, end = begins, begins + len(event.node.data)
        while place < end:
            stop = min(end, *(edge for edge in self._edges_near(place) if edge > place))
            stretch = Stretch(event.node, place - begins, stop - begins)
            yield self._piece(place, event, self._token_at(place), stretch)
            place = stop

    def _piece(
        self, start: int, event: Event, token: Tag | Comment | None, stretch: Stretch | None = None
    ) -> Piece:
        kept = any(first <= start < last for first, last in self._kept)
        return Piece(start, event, stretch, token, self._seen(start), kept)

    def _edges_near(self, place: int) -> Iterator[int]:
        """Where the piece at that place may end."""
        number = bisect_right(self._starts, place)
        yield self._starts[number] if number < len(self._starts) else len(self.document.text)
        token = self._token_at(place)
        if token:
            yield token.end
            yield from (edge for first_last in self._kept for edge in first_last)

    def _token_at(self, place: int) -> Tag | Comment | None:
        number = bisect_right(self._starts, place) - 1
        token = self._tokens[number] if number >= 0 else None
        return token if token and place < token.end else None

    def _token_around(self, place: int) -> Tag | Comment | None:
        """The one that something without width stands in; in front of one is not in it."""
        token = self._token_at(place)
        return token if token and token.start < place else None

    # ── what is hidden ──────────────────────────────────────────────────────────────────────────

    def _hidden_ranges(self) -> Iterator[tuple[int, int]]:
        for number, tag in enumerate(self._tags):
            if not tag.closing and self._hides(tag):
                end = tag if tag.name in VOID else matching_end(self._tags, number)
                if end and self._balanced(tag.start, end.end):
                    yield tag.start, end.end

    def _hides(self, tag: Tag) -> bool:
        style = tag.attribute("style")
        said = self.document.text[style.value_start : style.value_end] if style else ""
        return tag.name in UNSEEN or tag.attribute("hidden") is not None or is_hiding(said)

    def _seen(self, place: int) -> bool:
        return not any(start <= place < end for start, end in self._hidden)

    def _balanced(self, start: int, end: int) -> bool:
        return balanced(self.document.within(start, end))

    # ── links and pictures ──────────────────────────────────────────────────────────────────────

    def attribute(self, tag: Tag, name: str) -> Words:
        """What an attribute says; nothing where it is absent, empty or cannot be told elsewhere."""
        found = tag.attribute(name)
        said = wording(self.document, found.value_start, found.value_end) if found else None
        return said or ()

    def _targets(self) -> Iterator[tuple[Tag, Tag, Attribute, Words]]:
        """Each link from its opening to its closing tag; without words if its target must stay in place."""
        for number, tag in enumerate(self._tags):
            href = tag.attribute("href") if tag.name == "a" and not tag.closing else None
            end = self._link_end(number) if href else None
            if href and end and self.document.text[href.value_start : href.value_end].strip("#"):
                movable = self._balanced(tag.start, end.end)
                yield tag, end, href, self.attribute(tag, "href") if movable else ()

    def _link_end(self, number: int) -> Tag | None:
        """The next `</a>`: links do not nest, whatever branches open them."""
        return next((tag for tag in self._tags[number:] if tag.closing and tag.name == "a"), None)

    def _links(self, targets: Sequence[tuple[Tag, Tag, Attribute, Words]]) -> Iterator[tuple[int, Link]]:
        for tag, end, _, words in targets:
            alone = self._bordered(tag.start, step=-1) and self._bordered(end.start, step=1)
            inner = self.pieces[self._number(tag.start) : self._number(end.start)]
            said = [piece.said for piece in inner if piece.writes]
            link = Link(words, alone, told=bool(words) and bare(said) == bare(words))
            yield tag.start, link
            yield end.start, link

    def steady(self, tag: Tag) -> bool:
        """Whether an element holds no `{% if %}` and no loop, so that its parts can be counted."""
        end = matching_end(self._tags, self._tags.index(tag))
        within = self.document.within(tag.start, end.end) if end else ()
        forks = (event for event in within if isinstance(event, Mark) and isinstance(event.node, FORKING))
        return bool(within) and not any(forks)

    def _number(self, start: int) -> int:
        """The piece that begins with the tag at that place."""
        return bisect_right(self._begins, start) - 1

    def _bordered(self, place: int, step: int) -> bool:
        """Whether nothing is written between a tag and the nearest break before or behind it."""
        number = self._number(place) + step
        while 0 <= number < len(self.pieces):
            piece = self.pieces[number]
            if piece.tag and piece.seen and piece.tag.name in BREAKING:
                return True
            if piece.writes or (piece.tag and piece.seen and piece.tag.name in ("a", "img")):
                return False
            number += step
        return True


def is_hiding(style: str) -> bool:
    """Whether a style keeps its element from being seen, in either of the ways preheaders use."""
    return bool(_NOT_SHOWN.search(style) or (_NO_HEIGHT.search(style) and "hidden" in style.lower()))
