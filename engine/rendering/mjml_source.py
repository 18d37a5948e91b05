"""What can be wrong with a template in MJML, told where it stands.

The library behind passes over what it does not know, and tells little of what it cannot read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import mjml
from jinja2 import nodes

from engine.errors import Problem
from engine.registry import did_you_mean
from engine.rendering.document import VALUE, Document
from engine.rendering.events import Event, Mark
from engine.rendering.forks import ways
from engine.rendering.markup import RAW, VOID, Comment, Tag, tokens
from engine.rendering.places import problem_at

_CONTENT = frozenset(
    f"mj-{name}"
    for name in (
        *("accordion", "button", "carousel", "divider", "image", "navbar"),
        *("raw", "social", "spacer", "table", "text"),
    )
)
CHILDREN: Mapping[str, frozenset[str]] = {
    "mjml": frozenset(("mj-head", "mj-body")),
    "mj-head": frozenset(
        ("mj-attributes", "mj-breakpoint", "mj-font", "mj-preview", "mj-raw", "mj-style", "mj-title")
    ),
    "mj-body": frozenset(("mj-section", "mj-wrapper", "mj-hero", "mj-raw")),
    "mj-wrapper": frozenset(("mj-section", "mj-hero", "mj-raw")),
    "mj-section": frozenset(("mj-column", "mj-group", "mj-raw")),
    "mj-group": frozenset(("mj-column", "mj-raw")),
    "mj-column": _CONTENT,
    "mj-hero": _CONTENT,
    "mj-social": frozenset(("mj-social-element", "mj-raw")),
    "mj-navbar": frozenset(("mj-navbar-link", "mj-raw")),
    "mj-accordion": frozenset(("mj-accordion-element", "mj-raw")),
    "mj-accordion-element": frozenset(("mj-accordion-title", "mj-accordion-text", "mj-raw")),
    "mj-carousel": frozenset(("mj-carousel-image", "mj-raw")),
}
COMPONENTS = frozenset((*CHILDREN, *(name for names in CHILDREN.values() for name in names)))
_ANYTHING = frozenset(("mj-attributes",))
_BARE = re.compile(r"&(?!#?\w+;)|<")
_SPOILED = re.compile(r"""[^ -~]|["\\]""")
_PLACE = re.compile(r"at position (\d+):\d+")
Found = tuple[int, str, str | None]


def compiled(source: str) -> str:
    """The HTML of a whole MJML document. Nothing is loaded for it. Raises ValueError."""
    return mjml.mjml2html(_armoured(source), fonts={}, include_loader=_nothing)


def _armoured(source: str) -> str:
    """With entities for what the library would spoil in attributes: backslashes, accents, emoji."""
    pieces, done, title = [], 0, False
    for token in tokens(source):
        pieces.append(_entities(source[done : token.start]) if title else source[done : token.start])
        done = token.start
        if isinstance(token, Tag):
            title = token.name == "mj-title" and not token.closing
            for attribute in token.attributes:
                value = source[attribute.value_start : attribute.value_end]
                pieces += [source[done : attribute.value_start], _entities(value)]
                done = attribute.value_end
    return "".join([*pieces, source[done:]])


def _entities(text: str) -> str:
    return _SPOILED.sub(lambda found: f"&#{ord(found[0])};", text)


def _nothing(path: str) -> str:
    msg = f"{path!r} is not loaded"
    raise ValueError(msg)


def check_mjml(events: Sequence[Event]) -> Iterator[Problem]:
    """What is wrong in any way that the template can turn out, each once."""
    told: dict[Problem, None] = {}
    for way in ways(_without_kept(events)):
        document = Document(way)
        for place, message, hint in _found(document):
            told.setdefault(problem_at(document, place, message, hint))
    yield from told


def _without_kept(events: Sequence[Event]) -> list[Event]:
    """Less what `{% set %}…{% endset %}` keeps for another place."""
    kept, shown = 0, []
    for event in events:
        opens = isinstance(event, Mark) and isinstance(event.node, nodes.AssignBlock)
        kept += event.step if opens and isinstance(event, Mark) else 0
        if not kept and not opens:
            shown.append(event)
    return shown


def _found(document: Document) -> list[Found]:
    found = list(_Structure(document).check())
    return found or list(_refused(document))


def _refused(document: Document) -> Iterator[Found]:
    """What the library itself says, where nothing else was found."""
    try:
        mjml.mjml2html(document.text, fonts={}, include_loader=_nothing)
    except ValueError as error:
        place = _PLACE.search(str(error))
        at = len(document.text.encode()[: int(place[1])].decode(errors="ignore")) if place else 0
        yield min(at, len(document.text) - 1), f"MJML: {_PLACE.sub('', str(error)).strip()}", None


class _Structure:
    """One way that the template can turn out, looked at tag by tag."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: list[Tag] = []

    @property
    def parent(self) -> str:
        return self.open[-1].name if self.open else ""

    def check(self) -> Iterator[Found]:
        text, done = self.document.text, 0
        for token in tokens(text):
            yield from self._words(done, token.start)
            done = token.end
            if isinstance(token, Comment):
                yield from _remark(text[token.start : token.end], token.start)
            elif token.closing:
                yield from self._closes(token)
            else:
                yield from self._opens(token)
        yield from self._words(done, len(text))
        for tag in self.open[-1:]:
            yield tag.start, f"the tag <{tag.name}> is not closed", f"write </{tag.name}>"

    def _words(self, start: int, end: int) -> Iterator[Found]:
        said = self.document.text[start:end]
        place = start + len(said) - len(said.lstrip())
        if not said.strip():
            return
        if not self.open or self.parent in CHILDREN:
            within = f"<{self.parent}>" if self.open else "no tag"
            yield place, f"text cannot stand in {within}", "put it into <mj-text>"
        elif bare := _BARE.search(said) if self.parent not in (*RAW, "mj-style") else None:
            entity = {"&": "&amp;", "<": "&lt;"}[bare[0]]
            yield start + bare.start(), f"{bare[0]!r} cannot stand by itself in MJML", f"write {entity}"

    def _opens(self, tag: Tag) -> Iterator[Found]:
        yield from self._named_well(tag)
        yield from self._well_placed(tag)
        for attribute in tag.attributes:
            if attribute.value_end > attribute.value_start and not attribute.quoted:
                yield attribute.start, f"the value of {attribute.name} needs quotes around it", None
        if tag.name not in VOID and not closes_itself(tag, self.document.text):
            self.open.append(tag)

    def _named_well(self, tag: Tag) -> Iterator[Found]:
        if tag.name == "mj-include":
            yield tag.start, "<mj-include> is switched off", "write {% include 'the-file.mjml' %}"
        elif tag.name.startswith("mj-") and tag.name not in COMPONENTS and self.parent not in _ANYTHING:
            yield tag.start, f"there is no <{tag.name}> in MJML", did_you_mean(tag.name, COMPONENTS)

    def _well_placed(self, tag: Tag) -> Iterator[Found]:
        if not self.open and tag.name != "mjml":
            yield tag.start, f"<{tag.name}> cannot stand outside <mjml>", None
        elif self.parent in CHILDREN and tag.name not in CHILDREN[self.parent]:
            ours = tag.name.startswith("mj-")
            if not ours or tag.name in COMPONENTS:
                hint = _belongs(tag.name) if ours else "put HTML into <mj-text> or <mj-raw>"
                yield tag.start, f"<{tag.name}> cannot stand in <{self.parent}>", hint

    def _closes(self, tag: Tag) -> Iterator[Found]:
        if tag.name in VOID:
            return
        if tag.name == self.parent:
            self.open.pop()
        elif any(opened.name == tag.name for opened in self.open):
            inner = self.open[-1]
            while self.open.pop().name != tag.name:
                pass
            yield inner.start, f"the tag <{inner.name}> is not closed", f"write </{inner.name}>"
        else:
            yield tag.start, f"</{tag.name}> closes nothing", None


def _remark(said: str, place: int) -> Iterator[Found]:
    if not said.startswith("<!--"):
        yield place, "a doctype has no place in MJML", "begin with <mjml>"
    elif VALUE in said:
        yield place, "a value in a comment cannot be made safe", "write {# such a comment #}"


def _belongs(name: str) -> str | None:
    parents = sorted(parent for parent, names in CHILDREN.items() if name in names)
    return f"put it into {' or '.join(f'<{parent}>' for parent in parents)}" if parents else None


PASSED = frozenset(("href", "src", "alt", "title"))  # attributes of components that are written as they are
LOOKED_AT = frozenset(("mj-title", "mj-style", *RAW))


def closes_itself(tag: Tag, text: str) -> bool:
    return text[tag.end - 2 : tag.end] == "/>"


def is_passed_on(tag: Tag, attribute: str) -> bool:
    """Whether MJML writes the value of an attribute as it stands, and asks nothing of it."""
    return not tag.name.startswith("mj") or attribute in PASSED
