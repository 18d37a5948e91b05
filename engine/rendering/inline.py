"""Styles written onto the tags of a template, once for all mails.

`css_inline` finds what applies to which tag, in every way the template can turn out. Only that is
taken from it: the template stays as it was written but for its style attributes. Rules that no
tag can carry (@media, :hover, whatever depends on a value) stay in `<style>`.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import css_inline
from jinja2 import nodes

from engine.rendering.document import VALUE, Document, Spot
from engine.rendering.edits import Splices, static
from engine.rendering.events import Event, Mark, Value
from engine.rendering.forks import FORKING, Turn, ways
from engine.rendering.markup import Tag, matching_end, tokens

MARKER = "data-aftersale-tag"
UNSTYLED = frozenset(("head", "meta", "link", "style", "script", "title", "base", "br"))
_DECLARATIONS = re.compile(r"""(?:[^;"'(]|"[^"]*"|'[^']*'|\((?:[^)"']|"[^"]*"|'[^']*')*\))+""")
_INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_REDUCER = css_inline.CSSInliner(
    keep_style_tags=True, load_remote_stylesheets=False, remove_inlined_selectors=True
)

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


def inline_styles(events: Sequence[Event], trees: Sequence[nodes.Template]) -> None:
    """Change the trees so that they write their styles inline; what cannot be inlined is left as it is."""
    splices = Splices()
    settled = [_settle(seen, splices) for seen in _sightings(events).values()]
    if all(settled):
        _reduce(Document(events), splices)
    splices.apply(trees)


# ── what applies to which tag ───────────────────────────────────────────────────────────────────


def _sightings(events: Sequence[Event]) -> Mapping[tuple[int, int], Sequence[Sighting]]:
    """Every tag by its place, as it is in each way that the template can turn out."""
    found: dict[tuple[int, int], list[Sighting]] = defaultdict(list)
    for way in ways(events):
        for sighting in _look(Document(way)):
            found[sighting.start.key].append(sighting)
    return found


def _look(document: Document) -> Iterator[Sighting]:
    tags = _tags(document)
    styles = _styles(_INLINER.inline(_marked(document, tags)))
    for number, tag in enumerate(tags):
        start, name_end = document.spot(tag.start), document.spot(tag.name_end - 1)
        if start and name_end and not tag.closing and tag.name not in UNSTYLED:
            style = declarations(styles.get(number, ""))
            yield Sighting(start, name_end, style, _written(document, tag), _turns(document, tag))


def _tags(document: Document) -> list[Tag]:
    return [token for token in tokens(document.text) if isinstance(token, Tag)]


def _marked(document: Document, tags: list[Tag]) -> str:
    """The text with each tag numbered, without what cannot be inlined."""
    changes: list[tuple[int, int, str]] = []
    for number, tag in enumerate(tags):
        if tag.closing:
            continue
        changes.append((tag.name_end, tag.name_end, f' {MARKER}="{number}"'))
        written = tag.attribute("style")
        if written and VALUE in document.text[written.start : written.end]:
            changes.append((written.start, written.end, ""))
        if tag.name == "style" and not _can_be_inlined(document, tags, number):
            changes.append((tag.end, _content_end(tags, number, document), ""))
        if tag.name == "link":
            changes.append((tag.start, tag.end, ""))
    return _changed(document.text, changes)


def _can_be_inlined(document: Document, tags: list[Tag], number: int) -> bool:
    """Whether a `<style>` says the same in every mail, and is for screens."""
    media = tags[number].attribute("media")
    wanted = document.text[media.value_start : media.value_end].strip().lower() if media else ""
    content = document.within(tags[number].end, _content_end(tags, number, document))
    return wanted in ("", "all", "screen") and not any(map(_varies, content))


def _varies(event: Event | Turn) -> bool:
    """Whether it makes mails differ: a value, or a statement that chooses."""
    if isinstance(event, Mark):
        return isinstance(event.node, FORKING)
    return isinstance(event, Turn) or (isinstance(event, Value) and event.writes)


def _content_end(tags: list[Tag], number: int, document: Document) -> int:
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


# ── writing it down ─────────────────────────────────────────────────────────────────────────────


def _settle(seen: Sequence[Sighting], splices: Splices) -> bool:
    """Write onto a tag what always applies to it. False: something more applies to it at times."""
    written = {sighting.written.key if sighting.written else None for sighting in seen}
    if len(written) > 1:
        return False
    if len({id(turn.node) for sighting in seen for turn in sighting.turns}) == 1 and not seen[0].written:
        return _settle_by_branch(seen, splices)
    common = _common(seen)
    return _write(seen[0], common, splices) and all(set(s.style) == set(common) for s in seen)


def _common(seen: Sequence[Sighting]) -> Declarations:
    return tuple(said for said in seen[0].style if all(said in sighting.style for sighting in seen))


def _write(tag: Sighting, style: Declarations, splices: Splices) -> bool:
    if not style:
        return True
    written, text = tag.written, ";".join(style)
    if written is None:
        added = static(f' style="{_escaped(text)}"', tag.name_end.node)
        splices.put(tag.name_end.node, tag.name_end.offset + 1, tag.name_end.offset + 1, [added])
        return True
    if not written.quote:
        return False
    start = written.before.offset + 1
    end = start + (written.length if written.fixed else 0)
    value = _escaped(text, written.quote) + ("" if written.fixed else ";")
    splices.put(written.before.node, start, end, [static(value, written.before.node)])
    return True


def _escaped(text: str, quote: str = '"') -> str:
    """For the value of an attribute, with no more entities than there must be."""
    entity = "&quot;" if quote == '"' else "&#39;"
    return html.escape(text, quote=False).replace(quote, entity)


def _settle_by_branch(seen: Sequence[Sighting], splices: Splices) -> bool:
    """Where an `{% if %}` within the tag decides, let it decide on the style as well."""
    fork = seen[0].turns[0].node if seen[0].turns else None
    groups: dict[int, list[Sighting]] = defaultdict(list)
    for sighting in seen:
        groups[sighting.turns[0].branch if sighting.turns else -1].append(sighting)
    if not isinstance(fork, nodes.If) or set(groups) != set(range(len(fork.elif_) + 2)):
        return False
    styles = [_common(groups[branch]) for branch in sorted(groups)]
    if len(set(styles)) == 1:
        return _write(seen[0], styles[0], splices) and _all_alike(groups)
    place = seen[0].name_end
    splices.put(place.node, place.offset + 1, place.offset + 1, [_choice(fork, styles)])
    return _all_alike(groups)


def _all_alike(groups: Mapping[int, Sequence[Sighting]]) -> bool:
    return all(len({frozenset(sighting.style) for sighting in group}) == 1 for group in groups.values())


def _choice(fork: nodes.If, styles: Sequence[Declarations]) -> nodes.Expr:
    """An expression that writes the style of the branch that the fork will take."""
    said = [_attribute(style, fork) for style in styles]
    choice: nodes.Expr = said[-1]
    for branch, then in reversed(list(zip((fork, *fork.elif_), said, strict=False))):
        choice = nodes.CondExpr(branch.test, then, choice, lineno=fork.lineno)
    return choice


def _attribute(style: Declarations, like: nodes.Node) -> nodes.Expr:
    text = f' style="{_escaped(";".join(style))}"' if style else ""
    return nodes.MarkSafe(nodes.Const(text, lineno=like.lineno), lineno=like.lineno)


# ── what stays in <style> ───────────────────────────────────────────────────────────────────────


def _reduce(document: Document, splices: Splices) -> None:
    """Leave in each `<style>` what no tag carries now."""
    tags = _tags(document)
    reduced = _REDUCER.inline(_marked(document, tags))
    for number, rest in _sheets(reduced).items():
        start, end = tags[number].end, _content_end(tags, number, document)
        if _can_be_inlined(document, tags, number):
            for part, place in enumerate(document.stretches(start, end)):
                new = [] if part else [static(rest, place.node)]
                splices.put(place.node, place.start, place.end, new)


def _sheets(inlined: str) -> Mapping[int, str]:
    """The content of each numbered `<style>`."""
    tags = [token for token in tokens(inlined) if isinstance(token, Tag)]
    found = {}
    for tag, following in pairwise(tags):
        marker = tag.attribute(MARKER)
        if tag.name == "style" and marker:
            number = int(inlined[marker.value_start : marker.value_end])
            found[number] = inlined[tag.end : following.start]
    return found
