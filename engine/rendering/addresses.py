"""Where links and pictures lead: a value may say where, but not that something is to be run.

Escaping does not help against `javascript:` in `href`. A value that begins an address is looked at
in each mail; one that follows must stand behind a beginning that is harmless.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError

from engine.rendering.document import Document
from engine.rendering.events import Event, Mark, Static, Value
from engine.rendering.markup import Attribute
from engine.rendering.sightings import tags_of

CHECKED = "checked address"  # a name that no template can spell
NAMES = frozenset(
    ("href", "src", "action", "formaction", "background", "poster", "cite", "data", "xlink:href")
)
PICTURES = ("src", "background", "poster")
SCHEMES = ("https", "http", "mailto", "tel")
SHOWN = 60  # characters of an address that is told
_HARMLESS = re.compile(rf"({'|'.join(SCHEMES)}):|[/?#]", re.I)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_RUN = re.compile(r"(java|vb)script:", re.I)
_PASSED_OVER = re.compile(r"[\x00-\x20\x7f-\xa0]+")  # what browsers do not see in an address
_HINT = f"begin it with {', '.join(f'{scheme}:' for scheme in SCHEMES)} or /"


class Untouched(str):
    """An address of ours that stays as it is, whatever it leads to: a way out of the letter."""

    __slots__ = ()


def checked(value: Any) -> Any:
    """A value that begins an address, if it begins it well. Raises SecurityError."""
    said = _plain(str(value))
    if not said:
        msg = "an address is empty; leave the link or picture out where there is none: {% if … %}"
        raise SecurityError(msg)
    if not (isinstance(value, Untouched) or _HARMLESS.match(said)):
        msg = f"{said[:SHOWN]!r} is no address for a mail; {_HINT}"
        raise SecurityError(msg)
    return value


def check_addresses(document: Document) -> Iterator[tuple[int, str, str]]:
    """Addresses that are wrong as written: the place, what is wrong, and a hint."""
    for attribute in _addresses(document):
        if _RUN.search(_plain(document.text[attribute.value_start : attribute.value_end])):
            yield attribute.start, f"{attribute.name} runs a script, which no mail may", "link to a page"
        elif attribute.name in PICTURES and (said := _unshown(document, attribute)):
            hint = "write the https:// address of the picture"
            yield attribute.start, f"no reader shows a picture from {said!r}", hint
        for place, said, _ in _values(document, attribute):
            if said and not _HARMLESS.match(said):
                yield place, f"a value cannot follow {said[:SHOWN]!r} in {attribute.name}", _HINT


def _unshown(document: Document, attribute: Attribute) -> str | None:
    """The scheme that a picture's address begins with as written, where it is not https."""
    scheme = _SCHEME.match(_plain(document.text[attribute.value_start : attribute.value_end]))
    return scheme[0].lower() if scheme and scheme[0].lower() != "https:" else None


def guard_addresses(events: Sequence[Event], trees: Iterable[nodes.Template]) -> None:
    """Have each value that begins an address looked at in the mail."""
    document = Document(events)
    found = {
        id(value.node)
        for attribute in _addresses(document)
        for _, said, value in _values(document, attribute)
        if not said
    }
    for tree in trees:
        for output in tree.find_all(nodes.Output):
            output.nodes = [_looked_at(node) if id(node) in found else node for node in output.nodes]


def _looked_at(node: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, CHECKED, [], [], None, None, lineno=node.lineno)


def _addresses(document: Document) -> Iterator[Attribute]:
    for tag in tags_of(document):
        yield from (attribute for attribute in tag.attributes if attribute.name in NAMES)


def _values(document: Document, attribute: Attribute) -> Iterator[tuple[int, str, Value]]:
    """Each value in an address: its place, what surely stands in front of it, and the value itself.

    A branch that may be left out counts for nothing behind it. Behind a value that begins the
    address stands a harmless beginning, for there is no mail otherwise.
    """
    said, before = "", [""]
    start, end = attribute.value_start, attribute.value_end
    for begins, event in document.inside(start, end):
        if isinstance(event, Static):
            said += _plain(str(event.node.data)[max(start - begins, 0) : end - begins])
        elif isinstance(event, Mark):
            said = _at_mark(event, said, before)
        elif isinstance(event, Value) and event.writes:
            yield begins, said, event
            said = said or "/"


def _at_mark(mark: Mark, said: str, before: list[str]) -> str:
    """What stands in front of the next part of a statement; `before` is what stood at its opening."""
    if mark.kind == "open":
        before.append(said)
    return before.pop() if mark.kind == "close" and len(before) > 1 else before[-1]


def _plain(text: str) -> str:
    return _PASSED_OVER.sub("", unescape(text))
