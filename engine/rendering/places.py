"""Places in HTML where a value cannot be made safe, or where a tag cannot be followed."""

from collections.abc import Iterator, Sequence

import css_inline

from engine.errors import Problem
from engine.rendering.addresses import check_addresses
from engine.rendering.document import VALUE, Document
from engine.rendering.events import Event, Static, Value, balanced
from engine.rendering.markup import Attribute, Tag
from engine.rendering.sightings import content_end, tags_of

QUOTE = '"'


def check_places(events: Sequence[Event]) -> Iterator[Problem]:
    """What is wrong with the HTML that values and statements stand in."""
    document = Document(events)
    tags = tags_of(document)
    for number, tag in enumerate(tags):
        yield from _within_tag(document, tag)
        yield from _unreadable(document, tag)
        if tag.name in ("script", "style") and not tag.closing:
            yield from _within_code(document, tag, content_end(tags, number, document))
        if tag.name == "link" and "stylesheet" in document.text[tag.start : tag.end].lower():
            yield problem_at(
                document, tag.start, "no mail client loads a style sheet", "write it into <style>"
            )

    for place, message, hint in check_addresses(document):
        yield problem_at(document, place, message, hint)


def _unreadable(document: Document, tag: Tag) -> Iterator[Problem]:
    """A style attribute that rules cannot be added to."""
    style = tag.attribute("style")
    said = document.text[style.value_start : style.value_end] if style else ""
    if style and VALUE not in said:
        try:
            css_inline.inline(f'<style>p {{ top: 0 }}</style><p style="{said.replace(QUOTE, "&quot;")}">')
        except css_inline.InlineError as error:
            yield problem_at(document, style.start, f"the style cannot be read: {error}")


def _within_tag(document: Document, tag: Tag) -> Iterator[Problem]:
    yield from _torn(document, tag)
    for attribute in tag.attributes:
        if VALUE in attribute.name:
            message = "a value cannot stand for an attribute"
            yield problem_at(document, attribute.start, message, "write out its name")
        elif not attribute.quoted and _value_in(document, attribute):
            place = attribute.value_start
            yield problem_at(document, place, f"the value of {attribute.name} needs quotes around it")


def _value_in(document: Document, attribute: Attribute) -> bool:
    return VALUE in document.text[attribute.value_start : attribute.value_end]


def _torn(document: Document, tag: Tag) -> Iterator[Problem]:
    """A tag that begins in one branch of a statement and ends in another."""
    if not balanced(document.within(tag.start, tag.end)):
        hint = "write whole tags within a branch"
        yield problem_at(document, tag.start, f"the tag <{tag.name}> is torn apart by a statement", hint)


def _within_code(document: Document, tag: Tag, end: int) -> Iterator[Problem]:
    place = document.text.find(VALUE, tag.end, end)
    if place >= 0:
        yield problem_at(document, place, f"a value within <{tag.name}> cannot be made safe", "write it out")


def problem_at(document: Document, place: int, message: str, hint: str | None = None) -> Problem:
    """A problem at the line that a place in the document comes from."""
    begins, event = next(document.spans(place, place + 1))
    line = event.node.lineno
    if isinstance(event, Static):
        line += str(event.node.data)[: place - begins].count("\n")
    sources = (e.source for e in (event, *document.events) if isinstance(e, Static | Value))
    return next(sources).problem(line, message, hint)
