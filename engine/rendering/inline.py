"""Styles written onto the tags of a template, once for all mails.

`css_inline` finds what applies to which tag, in every way the template can turn out. Only that is
taken from it: the template stays as it was written but for its style attributes. Rules that no
tag can carry (@media, :hover, whatever depends on a value) stay in `<style>`.
"""

import html
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import css_inline
from jinja2 import nodes

from engine.rendering.document import Document
from engine.rendering.edits import Splices, static
from engine.rendering.events import Event
from engine.rendering.markup import Tag, tokens
from engine.rendering.sightings import (
    MARKER,
    Declarations,
    Sighting,
    can_be_inlined,
    content_end,
    marked,
    places,
    sightings,
    tags_of,
)

_REDUCER = css_inline.CSSInliner(
    keep_style_tags=True, load_remote_stylesheets=False, remove_inlined_selectors=True
)


def inline_styles(events: Sequence[Event], trees: Sequence[nodes.Template]) -> None:
    """Change the trees so that they write their styles inline; what cannot be inlined is left as it is."""
    splices, sheet = Splices(), Document(events)
    sighted = sightings(events)
    settled = [_settle(seen, splices) for seen in sighted.values()]
    if all(settled) and places(sheet) <= sighted.keys():
        _reduce(sheet, splices)
    splices.apply(trees)


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
    tags = tags_of(document)
    reduced = _REDUCER.inline(marked(document, tags))
    for number, rest in _sheets(reduced).items():
        start, end = tags[number].end, content_end(tags, number, document)
        if can_be_inlined(document, tags, number):
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
