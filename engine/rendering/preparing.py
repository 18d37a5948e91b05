"""A template made ready once: checked, styles inlined, plain text derived, compiled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jinja2 import Template

from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.rendering.claims import Claims, find_claims
from engine.rendering.environment import MailEnvironment, count_loops, share_context
from engine.rendering.inline import inline_styles
from engine.rendering.names import attribute_names, check_names
from engine.rendering.reading import File, Reader
from engine.rendering.sources import Library, Source
from engine.rendering.text import derive_text

Shaping = Callable[[Reader, Source], None]


@dataclass(frozen=True)
class Ready:
    """A template that can be rendered, unless it has problems."""

    source: Source
    claims: Claims
    problems: Sequence[Problem]
    attributes: frozenset[str] = frozenset()
    files: Sequence[File] = field(default=(), repr=False)
    template: Template | None = field(default=None, repr=False)


def prepare(
    source: Source, library: Library, environment: MailEnvironment, catalogue: Catalogue, shape: Shaping
) -> Ready:
    """Read, check, shape and compile one template."""
    reader = Reader(library, environment)
    events = reader.read(source)
    claims = find_claims(events, catalogue)
    problems = [*reader.problems, *claims.problems, *check_names(reader.files, environment, catalogue)]
    if problems:
        return Ready(source, claims, problems)
    shape(reader, source)
    template = _compiled(source, reader.files, environment)
    return Ready(source, claims, (), frozenset(attribute_names(reader.files)), reader.files, template)


def as_written(reader: Reader, source: Source) -> None:
    """For what is plain text already."""


def styled(reader: Reader, source: Source) -> None:
    """For HTML: styles inlined."""
    inline_styles(reader.read(source), [file.tree for file in reader.files])


def as_text(reader: Reader, source: Source) -> None:
    """For HTML of which plain text is wanted."""
    styled(reader, source)
    derive_text(reader.read(source), [file.tree for file in reader.files])


def _compiled(source: Source, files: Sequence[File], environment: MailEnvironment) -> Template:
    for file in files:
        count_loops(file.tree)
        share_context(file.tree)
        file.tree.set_environment(environment)
    return environment.with_trees({file.source.name: file.tree for file in files}).get_template(source.name)
