"""What is no mistake, but makes a mail read badly somewhere, or land where nobody looks."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from jinja2 import nodes

from engine.errors import Problem
from engine.rendering.addresses import SHOWN
from engine.rendering.document import VALUE, Document
from engine.rendering.events import Event, Value
from engine.rendering.markup import Attribute, Tag
from engine.rendering.outline import is_hiding
from engine.rendering.places import problem_at
from engine.rendering.preparing import Draft
from engine.rendering.sightings import tags_of
from engine.rendering.targets import Shopfront, addressed, cannot_complete

CLIPPED = 102_000  # bytes of HTML, behind which Gmail cuts a mail off
DEAD = frozenset(
    ("script", "form", "input", "textarea", "select", "iframe", "object", "embed", "video", "audio")
)
ENCODED = frozenset(("urlencode", "url_encode"))
PICTURES = frozenset(("img", "mj-image"))
Found = tuple[int, str, str | None]
N = TypeVar("N", bound=nodes.Node)


def lint_page(draft: Draft, shopfront: Shopfront, *, tagged: bool, owed: bool = False) -> Iterator[Problem]:
    """What may be wrong with HTML or MJML.

    `tagged`: links to the shop are to get utm_ words. `owed`: it is of a transactional campaign.
    """
    document = Document(draft.events)
    tags = [tag for tag in tags_of(document) if not tag.closing]
    found = [finding for tag in tags for finding in _of_tag(document, tag)]
    if tagged:
        found += _untagged(document, shopfront)
    seen = set()
    for place, message, hint in found:
        problem = problem_at(document, place, message, hint)
        if problem not in seen:
            seen.add(problem)
            yield problem
    yield from lint_duties(draft, owed=owed)
    if not shows_preheader(draft) and not _hides(draft):
        hint = "put {{ preheader }} into a hidden block of the layout, and preheader: beside subject:"
        yield draft.source.problem(1, "there is no preheader, so inboxes show whatever comes first", hint)


def shows_preheader(draft: Draft) -> bool:
    """Whether the page shows the preheader of the campaign's file."""
    return "preheader" in _written_names(draft.events)


def lint_duties(draft: Draft, *, owed: bool) -> Iterator[Problem]:
    """What a mail owes its reader, in HTML as in text; no way out of what is `owed` to them."""
    names = set(_written_names(draft.events))
    if "unsubscribe_url" not in names and not owed:
        hint = "link to {{ unsubscribe_url }}; the law asks for a way out in the mail itself"
        yield draft.source.problem(1, "there is no unsubscribe link", hint)
    if "postal_address" not in names:
        hint = "write {{ shop.postal_address }} at its foot; the law asks for it"
        yield draft.source.problem(1, "there is no postal address", hint)


def lint_size(draft: Draft, html: str) -> Iterator[Problem]:
    """A mail of which Gmail shows only the beginning."""
    size = len(html.encode())
    if size > CLIPPED:
        message = f"the HTML comes to {size // 1_000} kB, and Gmail clips a mail at {CLIPPED // 1_000} kB"
        yield draft.source.problem(1, message, "say less, or take styles out that nothing uses")


def _of_tag(document: Document, tag: Tag) -> Iterator[Found]:
    if tag.name in DEAD and not _is_data(document, tag):
        yield tag.start, f"<{tag.name}> does nothing in most mail readers", "link to a page instead"
    if tag.name in PICTURES:
        yield from _picture(tag)
    href = tag.attribute("href")
    said = document.text[href.value_start : href.value_end].strip() if href else VALUE
    if href and said.lower().startswith("http:"):
        yield href.start, f"{said[:SHOWN].replace(VALUE, '…')!r} is not encrypted", "write https://"
    if href:
        yield from _unencoded(document, href)
    if tag.name in ("a", "mj-button") and (not said or said == "#"):
        yield tag.start, "this link leads nowhere", None


def _unencoded(document: Document, href: Attribute) -> Iterator[Found]:
    """What a customer wrote may hold & and =, which in a query mean something."""
    for place, event in document.spans(href.value_start, href.value_end):
        if (
            not isinstance(event, Value)
            or not event.writes
            or "?" not in document.text[href.value_start : place]
        ):
            continue
        names = {node.name for node in _all(event.node, nodes.Name)}
        if "customer" in names and not ENCODED & {node.name for node in _all(event.node, nodes.Filter)}:
            yield place, "a customer's value in a query is not encoded", "write it with | url_encode"


def _all(node: nodes.Node, kind: type[N]) -> Iterator[N]:
    """The node itself and those in it, of that kind."""
    if isinstance(node, kind):
        yield node
    yield from node.find_all(kind)


def _picture(tag: Tag) -> Iterator[Found]:
    if tag.attribute("alt") is None:
        hint = 'say what it shows, or alt="" where it only decorates'
        yield tag.start, "this picture has no alt text, and many readers show no pictures", hint
    width = tag.attribute("width")
    if tag.name == "img" and (width is None or width.value_start == width.value_end):
        hint = 'write its width in pixels, such as width="520"; Outlook knows no other'
        yield tag.start, "this picture has no width", hint


def _is_data(document: Document, tag: Tag) -> bool:
    """What tells mail readers of an order or a flight; it runs nothing."""
    return "ld+json" in _said(document, tag, "type")


def _untagged(document: Document, shopfront: Shopfront) -> Iterator[Found]:
    for tag, attribute in addressed(document):
        if tag.name == "a" and cannot_complete(document, attribute, shopfront):
            hint = "make the address one expression, or a value"
            yield tag.start, "this link gets no utm_ words, for a statement makes its address", hint


def _written_names(events: Sequence[Event]) -> Iterator[str]:
    """Names and attributes in what is written out."""
    for event in events:
        if isinstance(event, Value) and event.role == "output":
            for node in (event.node, *event.node.find_all((nodes.Name, nodes.Getattr))):
                if isinstance(node, nodes.Name):
                    yield node.name
                elif isinstance(node, nodes.Getattr):
                    yield node.attr


def _hides(draft: Draft) -> bool:
    """Whether the page has something hidden that a preheader may be: a block, `<mj-preview>`, a style."""
    document = Document(draft.events)
    named = any("preheader" in file.blocks for file in draft.files)
    return named or any(_is_hidden(document, tag) for tag in tags_of(document))


def _is_hidden(document: Document, tag: Tag) -> bool:
    names, style = (_said(document, tag, name) for name in ("class", "style"))
    return tag.name == "mj-preview" or "preheader" in names or is_hiding(style)


def _said(document: Document, tag: Tag, name: str) -> str:
    found = tag.attribute(name)
    return document.text[found.value_start : found.value_end].lower() if found else ""
