"""HTML taken apart where it stands: tags and comments with their places, nothing rearranged.

A parser that builds a document would move text out of tables and add tags of its own, which a
template cannot bear: a loop's `<tr>` must stay where the loop is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

RAW = frozenset(("style", "script", "title", "textarea", "xmp"))
VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - plainer so
)
_START = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)|<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]*)", re.S
)
_ATTRIBUTE = re.compile(
    r"""[\s/]*(?P<name>[^\s=>/"'][^\s=>/]*)
        (?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>"'][^\s>]*)?))?""",
    re.X,
)
_END = re.compile(r"[^>]*(?:>|\Z)")


@dataclass(frozen=True)
class Attribute:
    """An attribute and the places of its value, quotes left out. Without a value both are its end."""

    name: str
    start: int
    end: int
    value_start: int
    value_end: int
    quoted: bool


@dataclass(frozen=True)
class Tag:
    """A tag from its `<` to behind its `>`. `name_end` is behind its name."""

    name: str
    start: int
    end: int
    closing: bool
    name_end: int
    attributes: tuple[Attribute, ...] = ()

    def attribute(self, name: str) -> Attribute | None:
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


@dataclass(frozen=True)
class Comment:
    """A comment, a doctype or a processing instruction."""

    start: int
    end: int


def tokens(html: str) -> Iterator[Tag | Comment]:
    """The tags and comments in their order; what lies between them is text."""
    place = 0
    while found := _START.search(html, place):
        if found["name"] is None:
            yield Comment(found.start(), found.end())
            place = found.end()
            continue
        tag = _tag(html, found)
        yield tag
        place = tag.end
        if tag.name in RAW and not tag.closing:
            end = re.compile(rf"</{tag.name}\b", re.I).search(html, place)
            place = end.start() if end else len(html)


def _tag(html: str, found: re.Match[str]) -> Tag:
    attributes = []
    place = found.end()
    while (attribute := _ATTRIBUTE.match(html, place)) and attribute.end() > place:
        attributes.append(_attribute(attribute))
        place = attribute.end()
    end = _END.match(html, place)
    stop = end.end() if end else len(html)
    return Tag(
        found["name"].lower(), found.start(), stop, bool(found["close"]), found.end(), tuple(attributes)
    )


def _attribute(found: re.Match[str]) -> Attribute:
    group = next((name for name in ("double", "single", "bare") if found[name] is not None), None)
    start, end = found.span(group) if group else (found.end(), found.end())
    return Attribute(
        found["name"].lower(), found.start("name"), found.end(), start, end, group in ("double", "single")
    )


def matching_end(tags: list[Tag], number: int) -> Tag | None:
    """The tag that closes the one at that place in the list, by counting those of its name."""
    depth = 0
    name = tags[number].name
    for tag in tags[number:]:
        if tag.name == name:
            depth += -1 if tag.closing else 1
            if depth == 0:
                return tag
    return None
