"""Words of a template as something that can be written elsewhere: text and expressions."""

import html
from collections.abc import Iterator, Sequence

from jinja2 import nodes

from engine.rendering.document import Document
from engine.rendering.events import Event, Mark, Static, Value, balanced
from engine.rendering.forks import Fork, Turn, forked

Words = Sequence[str | nodes.Node]
WHOLE_LINK = "whole link"  # a filter, by a name that no template can spell


def wording(document: Document, start: int, end: int) -> Words | None:
    """What is written between two places of one tag; None where it cannot be written elsewhere."""
    events = list(_clipped(document, start, end))
    try:
        return list(_words(forked(events))) if balanced(events) else None
    except _Bound:
        return None


def bare(words: Words) -> list[str | nodes.Node]:
    """The words without what makes no difference to a link: blanks at the ends, `mailto:`, `https://`."""
    said = [word.strip() if isinstance(word, str) else word for word in _unwrapped(words)]
    said = [word for word in said if word != ""]
    if said and isinstance(said[0], str):
        said[0] = said[0].removeprefix("mailto:").removeprefix("https://").removeprefix("http://")
    return [word for word in said if word != ""]


def _unwrapped(words: Words) -> Iterator[str | nodes.Node]:
    """The words of an address as it was written, before it was made whole."""
    for word in words:
        inner = word.node if isinstance(word, nodes.Filter) and word.name == WHOLE_LINK else None
        for part in inner.nodes if isinstance(inner, nodes.Concat) else [inner or word]:
            yield str(part.value) if inner and isinstance(part, nodes.Const) else part


class _Bound(Exception):
    """Something that only has its meaning where it stands."""


def _clipped(document: Document, start: int, end: int) -> Iterator[Event | str]:
    """The events between two places, static text cut to them, without what macros write there."""
    skip = 0
    for begins, event in document.inside(start, end):
        if skip:
            skip -= 1
        elif isinstance(event, Static):
            text = str(event.node.data)[max(start - begins, 0) : end - begins]
            yield html.unescape(text)
        elif not isinstance(event, Turn):
            yield event
            skip = event.expands if isinstance(event, Value) else 0


def _words(parts: Sequence[Event | Fork | str]) -> Iterator[str | nodes.Node]:
    for part in parts:
        match part:
            case str():
                yield part
            case Value(role="output", node=node):
                yield node
            case Fork(node=nodes.If()):
                yield _choice(part)
            case Fork():
                raise _Bound
            case Mark(node=node) if not isinstance(node, nodes.Block):
                raise _Bound


def _choice(fork: Fork) -> nodes.Expr:
    """An `{% if %}` as an expression."""
    branches = [_joined(list(_words(branch)), fork.node) for branch in fork.branches]
    choice = branches[-1]
    tests = (fork.node, *fork.node.elif_) if isinstance(fork.node, nodes.If) else ()
    for test, then in reversed(list(zip(tests, branches, strict=False))):
        choice = nodes.CondExpr(test.test, then, choice, lineno=fork.node.lineno)
    return choice


def _joined(words: Words, like: nodes.Node) -> nodes.Expr:
    parts = [nodes.Const(word, lineno=like.lineno) if isinstance(word, str) else word for word in words]
    return nodes.Concat(parts, lineno=like.lineno)
