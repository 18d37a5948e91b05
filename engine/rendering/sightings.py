"""What the styles of a template say of each of its tags, in every way that it can turn out."""

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import css_inline
from jinja2 import nodes

from engine.rendering.document import VALUE, Document, Spot
from engine.rendering.events import Event, Mark, Value
from engine.rendering.forks import FORKING, Turn, ways
from engine.rendering.markup import Tag, matching_end, tokens

MARKER = "data-aftersale-tag"
UNSTYLED = frozenset(("head", "meta", "link", "style", "script", "title", "base", "br"))
_DECLARATIONS = re.compile(r"""(?:[^;"'(]|"[^"]*"|'[^']*'|\((?:[^)"']|"[^"]*"|'[^']*')*\))+""")
_INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)

Declarations = tuple[str, ...]


@dataclass(frozen=True)
class Sighting:
    """A tag in one way that the template can turn out, and what the styles say of it there."""

    start: Spot
    name_end: Spot  # the last character of its name
    style: Declarations
    written: "WrittenStyle | None"
    turns: tuple[Turn, ...]  # the branches taken within the tag itself


@dataclass(frozen=True)
class WrittenStyle:
    """The style attribute that a tag has already: where its value stands, and whether it is fixed."""

    before: Spot  # the character in front of the value
    length: int
    fixed: bool
    quote: str

    @property
    def key(self) -> tuple[int, int]:
        return self.before.key


def sightings(events: Sequence[Event]) -> Mapping[tuple[int, int], Sequence[Sighting]]:
    """Every tag by its place, as it is in each way that the template can turn out."""
    found: dict[tuple[int, int], list[Sighting]] = defaultdict(list)
    for way in ways(events):
        for sighting in _look(Document(way)):
            found[sighting.start.key].append(sighting)
    return found


def _look(document: Document) -> Iterator[Sighting]:
    tags = tags_of(document)
    styles = _styles(_INLINER.inline(marked(document, tags)))
    for number, tag in enumerate(tags):
        start, name_end = document.spot(tag.start), document.spot(tag.name_end - 1)
        if start and name_end and _can_be_styled(tag):
            style = declarations(styles.get(number, ""))
            yield Sighting(start, name_end, style, _written(document, tag), _turns(document, tag))


def _can_be_styled(tag: Tag) -> bool:
    return not tag.closing and tag.name not in UNSTYLED


def tags_of(document: Document) -> list[Tag]:
    return [token for token in tokens(document.text) if isinstance(token, Tag)]


def marked(document: Document, tags: list[Tag]) -> str:
    """The text with each tag numbered, without what cannot be inlined."""
    changes: list[tuple[int, int, str]] = []
    for number, tag in enumerate(tags):
        if tag.closing:
            continue
        changes.append((tag.name_end, tag.name_end, f' {MARKER}="{number}"'))
        written = tag.attribute("style")
        if written and VALUE in document.text[written.start : written.end]:
            changes.append((written.start, written.end, ""))
        if tag.name == "style" and not can_be_inlined(document, tags, number):
            changes.append((tag.end, content_end(tags, number, document), ""))
        if tag.name == "link":
            changes.append((tag.start, tag.end, ""))
    return _changed(document.text, changes)


def can_be_inlined(document: Document, tags: list[Tag], number: int) -> bool:
    """Whether a `<style>` says the same in every mail, and is for screens."""
    media = tags[number].attribute("media")
    wanted = document.text[media.value_start : media.value_end].strip().lower() if media else ""
    content = document.within(tags[number].end, content_end(tags, number, document))
    return wanted in ("", "all", "screen") and not any(map(_varies, content))


def _varies(event: Event | Turn) -> bool:
    """Whether it makes mails differ: a value, or a statement that chooses."""
    if isinstance(event, Mark):
        return isinstance(event.node, FORKING)
    return isinstance(event, Turn) or (isinstance(event, Value) and event.writes)


def content_end(tags: list[Tag], number: int, document: Document) -> int:
    end = matching_end(tags, number)
    return end.start if end else len(document.text)


def _changed(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    pieces, done = [], 0
    for start, end, new in sorted(changes):
        pieces += [text[done : max(start, done)], new]
        done = max(end, done)
    return "".join([*pieces, text[done:]])


def _styles(inlined: str) -> Mapping[int, str]:
    """The style attribute of each numbered tag."""
    found = {}
    for tag in tokens(inlined):
        marker = tag.attribute(MARKER) if isinstance(tag, Tag) else None
        style = tag.attribute("style") if isinstance(tag, Tag) else None
        if marker and style:
            number = int(inlined[marker.value_start : marker.value_end])
            found[number] = html.unescape(inlined[style.value_start : style.value_end])
    return found


def declarations(style: str) -> Declarations:
    """`color:red; margin:0` as `color: red` and `margin: 0`."""
    pairs = (found.partition(":") for found in _DECLARATIONS.findall(style))
    return tuple(f"{name.strip()}: {value.strip()}" for name, colon, value in pairs if colon and name.strip())


def _written(document: Document, tag: Tag) -> WrittenStyle | None:
    style = tag.attribute("style")
    before = document.spot(style.value_start - 1) if style else None
    if style is None or before is None:
        return None
    fixed = style.quoted and document.is_static(style.value_start - 1, style.value_end)
    quote = document.text[style.value_start - 1] if style.quoted else ""
    return WrittenStyle(before, style.value_end - style.value_start, fixed, quote)


def _turns(document: Document, tag: Tag) -> tuple[Turn, ...]:
    within = document.within(tag.start, tag.end)
    return tuple(event for event in within if isinstance(event, Turn) and isinstance(event.node, nodes.If))


def places(document: Document) -> set[tuple[int, int]]:
    """Where the tags stand that can be styled."""
    spots = (document.spot(tag.start) for tag in tags_of(document) if _can_be_styled(tag))
    return {spot.key for spot in spots if spot}
