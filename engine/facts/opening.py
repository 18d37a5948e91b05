"""Before a file is imported: that it can be read, what kind it is, and how its header is to be taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import ImportFailed, Problem, Problems, UsageError
from engine.facts.binding import bind
from engine.facts.columns import Money, Plan
from engine.facts.guessing import guess, kinds_of
from engine.facts.importers import IMPORTERS
from engine.facts.importers.importer import Importer
from engine.facts.mapping import Mapping, MapSpec, Origin
from engine.facts.reading import Form
from engine.facts.sources.database import Query
from engine.facts.sources.opening import open_source
from engine.facts.sources.scratch import Scratch
from engine.facts.sources.source import Source

_WRITING = ("encoding", "delimiter", "header", "columns")
_NO_MAP = "its columns are not those of the map, but have our own names: it was read without the map"


@dataclass(frozen=True)
class ImportJob:
    """A source to import. A kind is given where it is not to be guessed, a map where it needs one."""

    given: Path | Query
    kind: str | None = None
    mapping: Mapping | None = None


@dataclass(frozen=True)
class Opened:
    """A file whose header has been understood."""

    source: Source
    form: Form
    header: bool  # whether its first row is one
    importer: Importer[Any]
    plan: Plan
    notes: Sequence[str] = ()


def open_job(job: ImportJob, money: Money, scratch: Scratch) -> Opened:
    """Judge the source's header, and the map against it. Raises ImportFailed, Problems or UsageError."""
    source = open_source(job.given, scratch)
    if job.mapping is None:
        return _canonical(job, source, money)
    try:
        return _mapped(job, source, job.mapping, money)
    except Problems:
        if job.mapping.problems or not job.mapping.spec.header or not _is_ours(source):
            raise
        return replace(_canonical(job, source, money), notes=(_NO_MAP,))


def _is_ours(source: Source) -> bool:
    """Whether a file needs no map, so that one map may be given for several files."""
    try:
        return len(kinds_of(_our_header(source))) == 1
    except ImportFailed:
        return False


def _our_header(source: Source) -> list[str]:
    return [column.lower() for column in source.header(Form())]


def _canonical(job: ImportJob, source: Source, money: Money) -> Opened:
    """A source with our own names. By another delimiter it is not read: its numbers may have commas, too."""
    try:
        return _with_our_names(job, source, money)
    except ImportFailed as error:
        word = source.divided_by(Form())
        if word is None:
            raise
        msg = f"{source.name}:1: its columns are divided by a {word}, and not by a comma"
        raise ImportFailed(msg, hint=_divided(word)) from error


def _divided(word: str) -> str:
    decimals = ", and numbers: {decimal_comma: true} where they are written so" if word == "semicolon" else ""
    return f"write a map with delimiter: {word}{decimals}; give it with --map"


def _with_our_names(job: ImportJob, source: Source, money: Money) -> Opened:
    name, form = source.name, Form()
    header = _our_header(source)
    importer = IMPORTERS.choose(job.kind) if job.kind else guess(name, header)
    spec = MapSpec(kind=importer.kind, fields={column: Origin(column=column) for column in header})
    problems: list[Problem] = []

    def complain(_: object, message: str, hint: str | None) -> None:
        problems.append(Problem(name, 1, 1, message, hint))

    plan = bind(importer, header, spec, money, complain)
    if problems:
        raise ImportFailed("\n".join(map(str, problems)))
    return Opened(source, form, spec.header, importer, plan)


def _mapped(job: ImportJob, source: Source, mapping: Mapping, money: Money) -> Opened:
    """Every mistake is told at once: those of the map itself, and those that only this source shows."""
    spec, problems = mapping.spec, [*mapping.problems, *_useless_form(source, mapping)]
    if spec.kind not in IMPORTERS:
        hint = f"there is: {', '.join(IMPORTERS)}"
        problem = mapping.problem(("kind",), f"unknown kind of file {spec.kind!r}", hint)
        raise Problems([*problems, problem])
    importer = _kind_of_map(job, mapping)
    if mapping.left_out & set(_WRITING) or ("fields" in mapping.left_out and not spec.fields):
        raise Problems(problems)  # who knows what its header is, or was meant to become
    header = list(spec.columns) or source.header(spec.form)
    if not spec.fields:
        taken = [column for column in header if column not in spec.constants]
        spec = spec.model_copy(update={"fields": {column: Origin(column=column) for column in taken}})

    def complain(path: tuple[str | int, ...], message: str, hint: str | None) -> None:
        if not mapping.blind(path):
            problems.append(mapping.problem(path, message, hint))

    plan = bind(importer, header, spec, money, complain)
    if problems:
        raise Problems([*_unsaid_delimiter(source, mapping), *problems])
    return Opened(source, spec.form, spec.header, importer, plan)


def _unsaid_delimiter(source: Source, mapping: Mapping) -> Iterator[Problem]:
    """Why none of its columns is found."""
    said = mapping.spec.model_fields_set & {"delimiter", "columns"}
    word = None if said or not mapping.spec.header else source.divided_by(mapping.spec.form)
    if word is not None:
        hint = f"write delimiter: {word} in the map"
        yield mapping.problem(("kind",), f"the columns of {source.name} are divided by a {word}", hint)


def _useless_form(source: Source, mapping: Mapping) -> Iterator[Problem]:
    """A map may not say how text is written that is not written as CSV."""
    said = [key for key in _WRITING if key in mapping.spec.model_fields_set]
    if said and not source.plain:
        msg = f"means nothing for {source.name}, which is no CSV file"
        yield from (mapping.problem((key,), f"{key} {msg}") for key in said)


def _kind_of_map(job: ImportJob, mapping: Mapping) -> Importer[Any]:
    kind = mapping.spec.kind
    if kind not in IMPORTERS:
        hint = f"there is: {', '.join(IMPORTERS)}"
        raise Problems([mapping.problem(("kind",), f"unknown kind of file {kind!r}", hint)])
    if job.kind not in (None, kind):
        msg = f"the map is for {kind}, but --as says {job.kind}"
        raise UsageError(msg)
    return IMPORTERS[kind]
