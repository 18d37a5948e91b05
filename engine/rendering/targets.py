"""Links and pictures made whole: relative ones from `shop.url`, and links to the shop with utm_ words.

Done once for each template where an address is written out, and in the mail where a value is part of
it. What the author wrote is never replaced: a utm_ word that is there already stays.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from markupsafe import Markup

from engine.rendering.addresses import SHOWN, Untouched, checked
from engine.rendering.document import Document, Spot
from engine.rendering.edits import Edits, Splices, static
from engine.rendering.events import Event, Mark, Static, Value
from engine.rendering.forks import Turn
from engine.rendering.markup import Attribute, Tag
from engine.rendering.sightings import tags_of
from engine.rendering.wording import WHOLE_LINK, wording
from engine.settings.model import Settings

LINK, PICTURE = WHOLE_LINK, "whole picture"  # names that no template can spell
LINKS = frozenset((("a", "href"), ("area", "href")))
PICTURES = frozenset(
    (("img", "src"), ("table", "background"), ("td", "background"), ("body", "background"), ("v:fill", "src"))
)
WAYS_OUT = ("unsubscribe_url", "view_in_browser_url")
CACHED = 4_096
Pairs = tuple[tuple[str, str], ...]
Event_ = Event | Turn


@dataclass(frozen=True)
class Shopfront:
    """The shop's own addresses: what relative ones begin with, and the hosts that count visits."""

    url: str
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Shopfront":
        own = urlsplit(settings.shop.url).hostname or ""
        hosts = {host.removeprefix("www.") for host in (own, *settings.utm.domains) if host}
        return cls(settings.shop.url, tuple(sorted(hosts)))

    def whole(self, address: str) -> str:
        """The address from its scheme on; a place within the mail itself stays what it is."""
        return urljoin(self.url, address) if address[:1] in ("/", "?") else address

    def link(self, address: str, pairs: Pairs) -> str:
        """Where a link leads, with those utm_ words that it does not have."""
        whole = self.whole(address.strip())
        return _tagged(whole, pairs) if pairs and self._is_ours(whole) else whole

    def _is_ours(self, address: str) -> bool:
        parts = _split(address)
        if parts is None or parts.scheme not in ("http", "https"):
            return False
        host = (parts.hostname or "").removeprefix("www.")
        return any(host == known or host.endswith(f".{known}") for known in self.hosts)

    def may_be_ours(self, beginning: str) -> bool:
        """Whether an address that begins so, and goes on with a value, may need to be changed."""
        said = beginning.strip()
        parts = _split(said)
        known = parts is not None and parts.scheme in ("http", "https") and any(c in said[8:] for c in "/?#")
        if known:
            return self._is_ours(said)
        return said[:1] in ("", "/", "?") or said.lower().startswith("http")


def utm_words(settings: Settings, campaign: str, step: str) -> Pairs:
    """What is added to links of one step; nothing where `utm.source` is empty."""
    utm = settings.utm
    if not utm.source:
        return ()
    words = (("source", utm.source), ("medium", utm.medium), ("campaign", campaign), ("content", step))
    return tuple((f"utm_{name}", said) for name, said in words if said)


def _split(address: str) -> Any:
    try:
        return urlsplit(address)
    except ValueError:  # such as brackets that do not close
        return None


def _tagged(address: str, pairs: Pairs) -> str:
    """With the words put behind the query that is there, and in front of the fragment."""
    place, hash_, fragment = address.partition("#")
    path, _, query = place.partition("?")
    there = {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}
    added = "&".join(f"{name}={quote(said, safe='')}" for name, said in pairs if name not in there)
    joined = "&".join(filter(None, (query.rstrip("&"), added)))
    return f"{path}?{joined}{hash_}{fragment}" if added else address


# ── in the mail ─────────────────────────────────────────────────────────────────────────────────


def address_filters(shopfront: Shopfront) -> dict[str, Callable[..., Any]]:
    """What makes an address whole that a value is part of."""
    linked = lru_cache(CACHED)(shopfront.link)

    def link(value: Any, pairs: Pairs) -> str:
        address = _plain(checked(value))
        return address if isinstance(value, Untouched) else linked(address, pairs)

    def picture(value: Any) -> str:
        address = shopfront.whole(_plain(checked(value)).strip())
        if not address.lower().startswith("https://"):
            msg = f"a picture is shown from an https:// address, not from {address[:SHOWN]!r}"
            raise SecurityError(msg)
        return address

    return {LINK: link, PICTURE: picture}


def _plain(value: Any) -> str:
    """The address itself, for it is escaped again where it is written."""
    return value.unescape() if isinstance(value, Markup) else str(value)


# ── in the template ─────────────────────────────────────────────────────────────────────────────


def complete_addresses(
    events: Sequence[Event], trees: Sequence[nodes.Template], shopfront: Shopfront, pairs: Pairs
) -> None:
    """Change the trees so that they write whole addresses, links to the shop with these utm_ words."""
    document, splices, edits = Document(events), Splices(), Edits()
    for tag, attribute in addressed(document):
        written = _Written(document, attribute)
        if written.fixed is not None:
            if (tag.name, attribute.name) in LINKS:
                new = shopfront.link(unescape(written.fixed), pairs)
            else:
                new = shopfront.whole(unescape(written.fixed).strip())
            if new != unescape(written.fixed).strip():
                said = escape(new) if attribute.quoted else f'"{escape(new)}"'
                written.say([static(said, written.quote.node)], splices, edits)
        elif written.movable and _concerns(written, shopfront):
            written.say([_completed(written, tag, pairs)], splices, edits)
    splices.apply(trees, edits)


def addressed(document: Document) -> Iterator[tuple[Tag, Attribute]]:
    """The links and the pictures of a document, each with what says where it is."""
    for tag in tags_of(document):
        for attribute in tag.attributes if not tag.closing else ():
            if (tag.name, attribute.name) in LINKS | PICTURES and attribute.value_end > attribute.value_start:
                yield tag, attribute


def cannot_complete(document: Document, attribute: Attribute, shopfront: Shopfront) -> bool:
    """Whether an address may need to be changed in the mail, and is made in a way that cannot be."""
    written = _Written(document, attribute)
    return written.fixed is None and not written.movable and _concerns(written, shopfront)


class _Written:
    """The value of an attribute, as it stands between its quotes."""

    def __init__(self, document: Document, attribute: Attribute) -> None:
        self.start, self.end = attribute.value_start, attribute.value_end
        self._text = document.text
        self.events = list(_own(document.inside(self.start, self.end)))
        self.words = wording(document, self.start, self.end)
        quote = document.spot(self.start - 1)
        self.quote: Spot = quote or Spot(nodes.TemplateData(""), 0)
        self._there = quote is not None
        self._quoted = attribute.quoted and self._there

    @property
    def fixed(self) -> str | None:
        """The address, where no value and no statement has a part in it."""
        plain = all(isinstance(event, Static) for _, event in self.events)
        return self._text[self.start : self.end] if plain and self._there else None

    @property
    def beginning(self) -> str:
        """What surely stands in front of the first value or statement."""
        first = self.words[0] if self.words else ""
        return first if isinstance(first, str) else ""

    @property
    def movable(self) -> bool:
        """Whether it can be one expression where it stands: one file, and no statement but `{% if %}`."""
        parts = [event for _, event in self.events]
        marks = all(isinstance(part.node, nodes.If) for part in parts if isinstance(part, Mark))
        files = {part.source.name for part in parts if isinstance(part, Static | Value)}
        return bool(self.words) and self._quoted and marks and len(files) == 1

    def say(self, new: Sequence[nodes.Node], splices: Splices, edits: Edits) -> None:
        """Write something else between the quotes."""
        node, place = self.quote.node, self.quote.offset + 1
        depth = 0
        for begins, event in self.events:
            if isinstance(event, Mark):
                if event.kind == "open" and depth == 0:
                    edits.replace(event.node, ())
                depth += event.step
            elif depth == 0 and isinstance(event, Value):
                edits.replace(event.node, ())
            elif depth == 0 and isinstance(event, Static):
                first = max(self.start - begins, 0)
                last = min(self.end - begins, len(event.node.data))
                at_quote = event.node is node and first == place
                if at_quote or last > first:
                    splices.put(event.node, first, last, new if at_quote else ())
        splices.put(node, place, place, new)  # unless it was said already


def _own(events: Iterable[tuple[int, Event_]]) -> Iterator[tuple[int, Event_]]:
    """The events themselves, without what macros among them write."""
    skip = 0
    for begins, event in events:
        if skip:
            skip -= 1
            continue
        yield begins, event
        skip = event.expands if isinstance(event, Value) else 0


def _concerns(written: _Written, shopfront: Shopfront) -> bool:
    leaves = any(
        isinstance(event, Value) and any(name.name in WAYS_OUT for name in _names(event.node))
        for _, event in written.events
    )
    return not leaves and shopfront.may_be_ours(written.beginning)


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def _completed(written: _Written, tag: Tag, pairs: Pairs) -> nodes.Expr:
    """The address as an expression, made whole."""
    like = written.quote.node
    said: list[nodes.Expr] = [
        nodes.Const(word, lineno=like.lineno) if isinstance(word, str) else _expression(word)
        for word in written.words or ()
    ]
    address = said[0] if len(said) == 1 else nodes.Concat(said, lineno=like.lineno)
    line = next((word.lineno for word in said if not isinstance(word, nodes.Const)), like.lineno)
    is_link = tag.name in ("a", "area")
    arguments: list[nodes.Expr] = [nodes.Const(pairs, lineno=line)] if is_link else []
    return nodes.Filter(address, LINK if is_link else PICTURE, arguments, [], None, None, lineno=line)


def _expression(node: nodes.Node) -> nodes.Expr:
    assert isinstance(node, nodes.Expr)  # noqa: S101 - `wording` gives no other
    return node
