"""Before a file is imported: that it can be read, what kind it is, and how its header is to be taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import ImportFailed, Problem, Problems, UsageError, relative
from engine.facts.binding import bind
from engine.facts.columns import Money, Plan
from engine.facts.guessing import guess, kinds_of
from engine.facts.importers import IMPORTERS
from engine.facts.importers.importer import Importer
from engine.facts.mapping import Mapping, MapSpec, Source
from engine.facts.reading import Form, records, refuse_binary

_NO_MAP = "its columns are not those of the map, but have our own names: it was read without the map"


@dataclass(frozen=True)
class ImportJob:
    """A file to import. A kind is given where it is not to be guessed, a map where the file needs one."""

    path: Path
    kind: str | None = None
    mapping: Mapping | None = None


@dataclass(frozen=True)
class Opened:
    """A file whose header has been understood."""

    path: Path
    name: str
    form: Form
    header: bool  # whether its first row is one
    importer: Importer[Any]
    plan: Plan
    notes: Sequence[str] = ()


def open_job(job: ImportJob, money: Money) -> Opened:
    """Judge the file's header, and the map against it. Raises ImportFailed, Problems or UsageError."""
    refuse_binary(job.path)
    if job.mapping is None:
        return _canonical(job, money)
    try:
        return _mapped(job, job.mapping, money)
    except Problems:
        if not job.mapping.spec.header or not _is_ours(job.path):
            raise
        return replace(_canonical(job, money), notes=(_NO_MAP,))


def _is_ours(path: Path) -> bool:
    """Whether a file needs no map, so that one map may be given for several files."""
    try:
        return len(kinds_of(_our_header(path))) == 1
    except ImportFailed:
        return False


def _our_header(path: Path) -> list[str]:
    return [column.lower() for column in _header(path, Form())]


def _canonical(job: ImportJob, money: Money) -> Opened:
    name, form = relative(job.path), Form()
    header = _our_header(job.path)
    importer = IMPORTERS.choose(job.kind) if job.kind else guess(name, header)
    spec = MapSpec(kind=importer.kind, fields={column: Source(column=column) for column in header})
    problems: list[Problem] = []

    def complain(_: object, message: str, hint: str | None) -> None:
        problems.append(Problem(name, 1, 1, message, hint))

    plan = bind(importer, header, spec, money, complain)
    if problems:
        raise ImportFailed("\n".join(map(str, problems)))
    return Opened(job.path, name, form, spec.header, importer, plan)


def _mapped(job: ImportJob, mapping: Mapping, money: Money) -> Opened:
    spec = mapping.spec
    importer = _kind_of_map(job, mapping)
    header = list(spec.columns) or [column.strip() for column in _header(job.path, spec.form)]
    if not spec.fields:
        taken = [column for column in header if column not in spec.constants]
        spec = spec.model_copy(update={"fields": {column: Source(column=column) for column in taken}})
    problems: list[Problem] = []

    def complain(path: tuple[str | int, ...], message: str, hint: str | None) -> None:
        problems.append(mapping.problem(path, message, hint))

    plan = bind(importer, header, spec, money, complain)
    if problems:
        raise Problems(problems)
    return Opened(job.path, relative(job.path), spec.form, spec.header, importer, plan)


def _kind_of_map(job: ImportJob, mapping: Mapping) -> Importer[Any]:
    kind = mapping.spec.kind
    if kind not in IMPORTERS:
        hint = f"there is: {', '.join(IMPORTERS)}"
        raise Problems([mapping.problem(("kind",), f"unknown kind of file {kind!r}", hint)])
    if job.kind not in (None, kind):
        msg = f"the map is for {kind}, but --as says {job.kind}"
        raise UsageError(msg)
    return IMPORTERS[kind]


def _header(path: Path, form: Form) -> Sequence[str]:
    """The names in the first row. Raises ImportFailed where they cannot be told apart."""
    name = relative(path)
    with path.open("rb") as file:
        first = next(records(file, form), None)
    if first is None:
        msg = f"{name} is empty: it has not even a header"
        raise ImportFailed(msg)
    if first.defect:
        msg = f"{name}:{first.place[0]}: the header {first.defect}"
        raise ImportFailed(msg)
    names = [column.strip() for column in first.fields]
    twice = next((column for column in names if names.count(column) > 1), None)
    if twice is not None:
        msg = f"{name}:{first.place[0]}: the header names {twice!r} twice"
        raise ImportFailed(msg)
    return names
