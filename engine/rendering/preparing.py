"""A template made ready once: read, checked, styles inlined, plain text derived, compiled."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jinja2 import Template, nodes

from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.rendering.addresses import guard_addresses
from engine.rendering.claims import Claims, find_claims, spell_out
from engine.rendering.constants import write_constants
from engine.rendering.environment import MailEnvironment, count_loops
from engine.rendering.events import Event
from engine.rendering.inline import inline_styles
from engine.rendering.mjml_source import check_mjml
from engine.rendering.names import attribute_names, check_names
from engine.rendering.outside import share_context
from engine.rendering.parsed import File
from engine.rendering.places import check_places
from engine.rendering.reading import Reader
from engine.rendering.rendered import render
from engine.rendering.sources import Library, Source
from engine.rendering.targets import Pairs, complete_addresses
from engine.rendering.text import derive_text


@dataclass(frozen=True)
class Draft:
    """A template that was read and checked, with all the files it draws on."""

    source: Source
    events: Sequence[Event] = field(repr=False)
    files: Sequence[File] = field(repr=False)
    claims: Claims
    attributes: frozenset[str]
    problems: Sequence[Problem]


@dataclass(frozen=True)
class Ready:
    """A template that can be rendered."""

    draft: Draft
    template: Template = field(repr=False)
    fixed: str | None = None  # what it says, where that is the same in every mail

    def write(self, context: Mapping[str, Any]) -> str:
        """What it says in one mail. Raises Failed."""
        return render(self.template, context) if self.fixed is None else self.fixed


class Preparation:
    """Makes templates ready, for one catalogue and one library of files.

    `same` is what every mail knows of its surroundings.
    """

    def __init__(
        self,
        library: Library,
        catalogue: Catalogue,
        html: MailEnvironment,
        text: MailEnvironment,
        same: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.library = library
        self.catalogue = catalogue
        self.html = html
        self.text = text
        self._same = same

    def draft(self, source: Source, kind: str = "") -> Draft:
        """Read and check a template: `.html`, `.mjml`, or else text. Never raises for what is wrong."""
        html = bool(kind)
        reader = Reader(self.library, self.html if html else self.text)
        events = reader.read(source)
        claims = find_claims(events, self.catalogue)
        problems = [*reader.problems, *claims.problems]
        problems += check_names(reader.files, reader.environment, self.catalogue)
        problems += check_places(events) if html else ()
        problems += check_mjml(events) if kind == ".mjml" and not reader.problems else ()
        attributes = frozenset(attribute_names(reader.files))
        return Draft(source, events, reader.files, claims, attributes, problems)

    def read(self, source: Source, files: Sequence[File], claims: Claims) -> Draft:
        """A template whose files are there already, as it is now; nothing in it is checked again."""
        events = Reader(self.library, self.html, files).read(source)
        return Draft(source, events, files, claims, frozenset(), ())

    def as_markup(self, draft: Draft) -> Ready:
        """For markup that is not HTML yet: escaped, and else as it is."""
        return self._compiled(draft, draft.files, self.html)

    def as_written(self, draft: Draft) -> Ready:
        """For what is plain text already."""
        return self._compiled(draft, draft.files, self.text)

    def as_html_and_text(self, draft: Draft, pairs: Pairs = ()) -> tuple[Ready, Ready]:
        """For HTML: itself with its styles inlined, and the plain text derived from it.

        Links in HTML get these utm_ words; those in text stay as they are to be read.
        """
        inline_styles(draft.events, [file.tree for file in draft.files])
        copies = [File(file.source, _copied(file, self.html)) for file in draft.files]
        self._complete_addresses(draft, copies, ())
        derive_text(self.read(draft.source, copies, draft.claims).events, [file.tree for file in copies])
        guard_addresses(draft.events, [file.tree for file in draft.files])
        self._complete_addresses(draft, draft.files, pairs)
        return self._compiled(draft, draft.files, self.html), self._compiled(draft, copies, self.text)

    def _complete_addresses(self, draft: Draft, files: Sequence[File], pairs: Pairs) -> None:
        events, trees = self.read(draft.source, files, draft.claims).events, [file.tree for file in files]
        complete_addresses(events, trees, self.html.shopfront, pairs)

    def _compiled(self, draft: Draft, files: Sequence[File], environment: MailEnvironment) -> Ready:
        share_context(files, environment)
        for file in files:
            count_loops(file.tree)
            spell_out(file.tree, self.catalogue)
            file.tree.set_environment(environment)
        write_constants(files, environment, self._same)
        named = environment.with_trees({file.source.name: file.tree for file in files})
        template = named.get_template(draft.source.name)
        (root,) = (file.tree for file in files if file.source is draft.source)
        return Ready(draft, template, _fixed(root))


def _fixed(tree: nodes.Template) -> str | None:
    """What a template says, where it has no value and no statement."""
    if not all(isinstance(node, nodes.Output) for node in tree.body):
        return None
    parts = list(tree.find_all(nodes.Expr))
    texts = [part.data for part in parts if isinstance(part, nodes.TemplateData)]
    return "".join(texts) if len(texts) == len(parts) else None


def _copied(file: File, environment: MailEnvironment) -> nodes.Template:
    return deepcopy(file.tree, {id(environment): environment})
