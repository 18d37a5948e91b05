"""A body in MJML: Jinja2 first, then MJML, and MJML once for all mails of one shape.

Jinja2 renders the template for each mail, but leaves a hole where a value stands that MJML does not
look at. What comes out is the shape of the mail, the same for many customers; MJML makes it HTML
once, and that HTML with its holes is made ready like any template. See decision 15.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from css_inline import InlineError
from jinja2 import nodes

from engine.rendering.addresses import guard_addresses
from engine.rendering.body import HTML, TEXT, Body, Parts
from engine.rendering.claims import Claims
from engine.rendering.document import Document
from engine.rendering.environment import HOLE, HOLES
from engine.rendering.events import Event, Mark, Value
from engine.rendering.markup import VOID, Tag, tokens
from engine.rendering.mjml_source import LOOKED_AT, closes_itself, compiled, is_passed_on
from engine.rendering.parsed import File
from engine.rendering.preparing import Draft, Preparation, Ready
from engine.rendering.rendered import Failed, render_with_holes
from engine.rendering.sources import FileSource
from engine.rendering.targets import Pairs

SHAPES = 128  # of one template that are kept ready
KEPT = (nodes.AssignBlock, nodes.FilterBlock)


class MjmlBody(Body):
    """The template, and the shapes of mails that came out of it lately."""

    def __init__(self, preparation: Preparation, shape: Ready, by_hand: Ready | None, pairs: Pairs) -> None:
        self._preparation = preparation
        self._shape = shape
        self._by_hand = by_hand
        self._pairs = pairs
        self._pressed = lru_cache(SHAPES)(self._press)

    @property
    def drafts(self) -> Sequence[Draft]:
        return (self._shape.draft, self._by_hand.draft) if self._by_hand else (self._shape.draft,)

    def write(self, context: Mapping[str, Any]) -> Parts:
        shape, holes = render_with_holes(self._shape.template, context)
        html, text = self._pressed(shape)
        yield HTML, self.drafts[0], html.write({"holes": holes})
        by_hand = self._by_hand
        said = by_hand.write(context) if by_hand else text.write({"holes": holes})
        yield TEXT, self.drafts[-1], said

    def _press(self, shape: str) -> tuple[Ready, Ready]:
        """HTML and text of one shape, ready to have their holes filled."""
        source = self._shape.draft.source
        try:
            html = compiled(shape)
            return self._preparation.as_html_and_text(self._draft(html), self._pairs)
        except (ValueError, InlineError) as error:
            msg = f"MJML: {error}"
            raise Failed(msg, source.name, 0, unproven=False) from error

    def _draft(self, html: str) -> Draft:
        source = FileSource(self._shape.draft.source.name, html)
        file = File(source, _with_holes(html))
        return self._preparation.read(source, [file], Claims({}, (), ()))


def mjml_body(preparation: Preparation, draft: Draft, by_hand: Ready | None, pairs: Pairs) -> MjmlBody:
    """A checked template in MJML, made ready."""
    trees = [file.tree for file in draft.files]
    guard_addresses(draft.events, trees)
    _leave_holes(preparation.read(draft.source, draft.files, draft.claims).events, trees)
    return MjmlBody(preparation, preparation.as_markup(draft), by_hand, pairs)


def _with_holes(html: str) -> nodes.Template:
    """The HTML as a template, each hole as the value that it is for."""
    parts: list[nodes.Expr] = []
    for number, part in enumerate(HOLES.split(html)):
        hole = (
            nodes.Getitem(nodes.Name("holes", "load"), nodes.Const(int(part)), "load") if number % 2 else None
        )
        parts.append(hole or nodes.TemplateData(part))
    tree = nodes.Template([nodes.Output(parts)])
    tree.set_lineno(1)
    return tree


# ── where holes may be ──────────────────────────────────────────────────────────────────────────


def _leave_holes(events: Sequence[Event], trees: Sequence[nodes.Template]) -> None:
    """Have a hole left for each value that only ever stands where MJML passes it on as it is."""
    free, bound = _free(events), _bound(events)
    for tree in trees:
        for output in tree.find_all(nodes.Output):
            output.nodes = [_hole(n) if id(n) in free and id(n) not in bound else n for n in output.nodes]


def _hole(node: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, HOLE, [], [], None, None, lineno=node.lineno)


def _bound(events: Sequence[Event]) -> set[int]:
    """Values in what is not written where it stands: kept, filtered, or part of an expression."""
    bound, kept, until = set(), 0, 0
    for number, event in enumerate(events):
        if isinstance(event, Mark) and isinstance(event.node, KEPT):
            kept += event.step
        elif isinstance(event, Value):
            if event.expands and not _only_writes(event):
                until = max(until, number + 1 + event.expands)
            if kept or number < until:
                bound.add(id(event.node))
    return bound


def _only_writes(event: Value) -> bool:
    """Whether an expression does nothing but write what a macro, a block or a caller writes."""
    call = event.node
    if event.role != "output" or not isinstance(call, nodes.Call):
        return False
    handed = (*call.args, *(keyword.value for keyword in call.kwargs))
    return not any(isinstance(part, nodes.Call) or part.find(nodes.Call) for part in handed)


def _free(events: Sequence[Event]) -> set[int]:
    """Values that stand in text, or in an attribute, which MJML does not look at; in all their places."""
    document = Document(events)
    spots = list(_spots(document))
    free: set[int] = set()
    looked_at: set[int] = set()
    for start, event in zip(document.starts, document.events, strict=True):
        if isinstance(event, Value) and event.writes:
            passed_on = any(first <= start < last for first, last in spots)
            (free if passed_on else looked_at).add(id(event.node))
    return free - looked_at


def _spots(document: Document) -> Iterator[tuple[int, int]]:
    """From where to where values are passed on as they are."""
    within: list[str] = []
    done = 0
    for token in tokens(document.text):
        if within and within[-1] not in LOOKED_AT:
            yield done, token.start
        done = token.end
        if isinstance(token, Tag):
            yield from _in_attributes(token)
            _step(within, token, document.text)


def _step(within: list[str], tag: Tag, text: str) -> None:
    """Into an element or out of it."""
    if tag.closing and tag.name in within:
        while within.pop() != tag.name:
            pass
    elif not tag.closing and tag.name not in VOID and not closes_itself(tag, text):
        within.append(tag.name)


def _in_attributes(tag: Tag) -> Iterator[tuple[int, int]]:
    for attribute in tag.attributes:
        if attribute.quoted and is_passed_on(tag, attribute.name):
            yield attribute.value_start, attribute.value_end
