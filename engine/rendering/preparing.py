"""A template made ready once: read, checked, styles inlined, plain text derived, compiled."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from jinja2 import Template, nodes

from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.rendering.addresses import guard_addresses
from engine.rendering.claims import Claims, find_claims, spell_out
from engine.rendering.environment import MailEnvironment, count_loops
from engine.rendering.events import Event
from engine.rendering.inline import inline_styles
from engine.rendering.names import attribute_names, check_names
from engine.rendering.outside import share_context
from engine.rendering.parsed import File
from engine.rendering.places import check_places
from engine.rendering.reading import Reader
from engine.rendering.sources import Library, Source
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


class Preparation:
    """Makes templates ready, for one catalogue and one library of files."""

    def __init__(
        self, library: Library, catalogue: Catalogue, html: MailEnvironment, text: MailEnvironment
    ) -> None:
        self.library = library
        self.catalogue = catalogue
        self.html = html
        self.text = text

    def draft(self, source: Source, *, html: bool = False) -> Draft:
        """Read and check a template; never raises for what is wrong with it."""
        reader = Reader(self.library, self.html if html else self.text)
        events = reader.read(source)
        claims = find_claims(events, self.catalogue)
        problems = [*reader.problems, *claims.problems]
        problems += check_names(reader.files, reader.environment, self.catalogue)
        problems += check_places(events) if html else ()
        attributes = frozenset(attribute_names(reader.files))
        return Draft(source, events, reader.files, claims, attributes, problems)

    def as_written(self, draft: Draft) -> Ready:
        """For what is plain text already."""
        return self._compiled(draft, draft.files, self.text)

    def as_html_and_text(self, draft: Draft) -> tuple[Ready, Ready]:
        """For HTML: itself with its styles inlined, and the plain text derived from it."""
        inline_styles(draft.events, [file.tree for file in draft.files])
        copies = [File(file.source, _copied(file, self.html)) for file in draft.files]
        derive_text(
            Reader(self.library, self.html, copies).read(draft.source), [file.tree for file in copies]
        )
        guard_addresses(draft.events, [file.tree for file in draft.files])
        return self._compiled(draft, draft.files, self.html), self._compiled(draft, copies, self.text)

    def _compiled(self, draft: Draft, files: Sequence[File], environment: MailEnvironment) -> Ready:
        for file in files:
            count_loops(file.tree)
            spell_out(file.tree, self.catalogue)
            file.tree.set_environment(environment)
        share_context(files, environment)
        named = environment.with_trees({file.source.name: file.tree for file in files})
        return Ready(draft, named.get_template(draft.source.name))


def _copied(file: File, environment: MailEnvironment) -> nodes.Template:
    return deepcopy(file.tree, {id(environment): environment})
