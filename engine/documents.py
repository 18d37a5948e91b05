"""YAML files as people write them: YAML 1.2, positions kept, bounded, every mistake placed.

`read_document` gives plain data; `Document.problem` turns a path within it into `file:line:column`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from engine.errors import Problem, Problems, relative
from engine.registry import did_you_mean, nearest

MAX_BYTES = 4_000_000
MAX_NODES = 400_000
MAX_ALIASED_NODES = 20_000

KeyPath = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Document:
    """One YAML file: its plain data, and where each part of it stands."""

    file: str
    data: Any
    _places: Mapping[KeyPath, tuple[int, int]] = field(repr=False)
    repeated: Mapping[str, Sequence[Problem]] = field(default_factory=dict, repr=False)  # keys said twice

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with it as YAML, where it was read in spite of that."""
        return [problem for problems in self.repeated.values() for problem in problems]

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """A problem at that path, or at the nearest part above it that is written down."""
        line, column = next((self._places[p] for p in _upwards(path) if p in self._places), (0, 0))
        return Problem(self.file, line, column, message, hint)


def read_document(path: Path) -> Document:
    """Read a YAML file whole.

    Raises Problems when it is missing, too large, not UTF-8, not YAML, says a key twice,
    or grows beyond all measure through its aliases.
    """
    return _sound(skim_document(path))


def skim_document(path: Path, project: Path | None = None) -> Document:
    """The same, in spite of keys that are said twice: the first word counts.

    They are among the document's `problems`, for who looks for further mistakes and tells all at once.
    A link that leads out of the `project` is not followed: what is there is not ours to tell.
    """
    if project is not None and _leads_out(path, project):
        told = "leads out of the project by a link"
        raise Problems([Problem(relative(path), 0, 0, told, "put the file itself there")])
    return _skim(relative(path), _read_text(path))


def _leads_out(path: Path, project: Path) -> bool:
    """Whether it is elsewhere. A folder that is a link as a whole was meant so."""
    return not any(path.resolve().is_relative_to(place.resolve()) for place in (project, path.parent))


def parse_document(file: str, text: str) -> Document:
    """As `read_document`, from text that is already here; `file` is only its name."""
    return _sound(_skim(file, text))


def _sound(document: Document) -> Document:
    if document.problems:
        raise Problems(document.problems)
    return document


class _Constructor(RoundTripConstructor):
    """Notes the keys that are said twice, and takes the first of each."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.repeated: list[tuple[str, StringMark]] = []

    def check_mapping_key(self, node: Any, key_node: Any, mapping: Any, key: Any, value: Any) -> bool:
        unique = key not in mapping
        if not unique:
            self.repeated.append((str(key), key_node.start_mark))
        return unique


def _skim(file: str, text: str) -> Document:
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    try:
        tree = yaml.load(text)
        walk = _Walk()
        return Document(file, walk.plain(tree, ()), walk.places, _repeated(file, yaml.constructor))
    except MarkedYAMLError as error:
        raise Problems([_syntax_problem(file, error)]) from error
    except (YAMLError, ValueError) as error:
        raise Problems([Problem(file, 0, 0, f"not YAML: {error}")]) from error
    except RecursionError as error:
        raise Problems([Problem(file, 0, 0, "nested too deeply")]) from error


def validate(document: Document, model: type[M], path: KeyPath = (), data: Any = None) -> M | list[Problem]:
    """The part at `path` as a model, or every mistake in it."""
    raw = data if data is not None else document.data
    try:
        return model.model_validate({} if raw is None else raw)
    except ValidationError as error:
        return problems_of(document, model, error, path)


def problems_of(
    document: Document, model: type[BaseModel], error: ValidationError, path: KeyPath
) -> list[Problem]:
    """Pydantic's findings, placed in the file and worded for its writer."""
    findings = error.errors()
    meant = {_meant(model, f["loc"]) for f in findings if f["type"] == "extra_forbidden"}
    told = [f for f in findings if f["type"] != "missing" or f["loc"] not in meant]
    return [_model_problem(document, model, finding, path) for finding in told]


def _meant(model: type[BaseModel], loc: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where the field stands that a misspelled key was meant to be: it is not missing besides."""
    return (*loc[:-1], nearest(str(loc[-1]), _fields_beside(model, loc)))


def _read_text(path: Path) -> str:
    name = relative(path)
    try:
        about = path.stat()
        if not S_ISREG(about.st_mode):  # a pipe would be waited for, for ever
            raise Problems([Problem(name, 0, 0, "not a file")])
        if about.st_size > MAX_BYTES:
            raise Problems([Problem(name, 0, 0, f"larger than {MAX_BYTES:,} bytes")])
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise Problems([Problem(name, 0, 0, "there is no such file")]) from error
    except UnicodeDecodeError as error:
        hint = "is it a YAML file, saved as UTF-8?"
        raise Problems([Problem(name, 0, 0, f"not text in UTF-8 (byte {error.start})", hint)]) from error
    except OSError as error:
        raise Problems([Problem(name, 0, 0, f"cannot be read: {error.strerror}")]) from error
    if "\0" in text:
        raise Problems([Problem(name, 0, 0, "not text", "is it a YAML file?")])
    return text


def _repeated(file: str, constructor: _Constructor) -> Mapping[str, Sequence[Problem]]:
    found: dict[str, list[Problem]] = defaultdict(list)
    for key, mark in constructor.repeated:
        found[key].append(Problem(file, mark.line + 1, mark.column + 1, f'duplicate key "{key}"'))
    return found


def _syntax_problem(file: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = str(error.problem or error.context or "not YAML").split("\n")[0].strip()
    if "duplicate key" in message:  # `<<` said twice
        message = message.split(" with value")[0].replace("found ", "")
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(file, line, column, message)


class _Walk:
    """Turns ruamel's tree into plain data and notes where everything stands."""

    def __init__(self) -> None:
        self.places: dict[KeyPath, tuple[int, int]] = {}
        self._seen: set[int] = set()
        self._nodes = 0
        self._aliased = 0

    def plain(self, node: Any, path: KeyPath) -> Any:
        self._count(node)
        if getattr(getattr(node, "tag", None), "value", None) not in (None, *_PLAIN_TAGS):
            msg = f"the tag {node.tag.value} is not allowed here"
            raise ValueError(msg)
        if isinstance(node, CommentedMap):
            return {self._key(k): self._child(node, _place(node, k), k, v, path) for k, v in node.items()}
        if isinstance(node, CommentedSeq):
            return [self._child(node, node.lc.item(i), i, v, path) for i, v in enumerate(node)]
        return _scalar(node)

    def _child(self, _: Any, place: tuple[int, int], key: Any, value: Any, path: KeyPath) -> Any:
        below = (*path, key if isinstance(key, int) else str(key))
        self.places[below] = (place[0] + 1, place[1] + 1)
        return self.plain(value, below)

    def _key(self, key: Any) -> str:
        return str(_scalar(key))

    def _count(self, node: Any) -> None:
        self._nodes += 1
        if isinstance(node, CommentedMap | CommentedSeq):
            self._aliased += id(node) in self._seen
            self._seen.add(id(node))
        if self._nodes > MAX_NODES or self._aliased > MAX_ALIASED_NODES:
            msg = "its aliases expand to more than a file may hold"
            raise ValueError(msg)


_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:str")


def _place(node: CommentedMap, key: Any) -> tuple[int, int]:
    """Where a key stands; one that `<<` brought in stands where its map does."""
    known = (node.lc.data or {}).get(key)
    return (known[0], known[1]) if known else (node.lc.line, node.lc.col)


def _scalar(value: Any) -> Any:
    if isinstance(value, ScalarBoolean):
        return bool(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _upwards(path: KeyPath) -> Iterator[KeyPath]:
    for length in range(len(path), -1, -1):
        yield path[:length]


PAIRS = "write keys and values"
_ONLY_TRUE = "can only be true"
_FINDINGS = {  # what pydantic says of Python, as a writer of YAML would say it
    "tuple_type": "write a list, such as [one, two]",
    "list_type": "write a list, such as [one, two]",
    "dict_type": PAIRS,
    "model_type": PAIRS,
    "model_attributes_type": PAIRS,
    "int_type": "write a whole number",
    "decimal_type": "write a number",
    "string_type": "write text; what looks like a number or a date needs quotes",
    "bool_type": "write true or false",
}
_TOO_SHORT = ("string_too_short", "too_short")


def _model_problem(document: Document, model: type[BaseModel], finding: Any, path: KeyPath) -> Problem:
    where: KeyPath = (*path, *map(_as_written, finding["loc"]))
    kind, name = finding["type"], where[-1] if where else ""
    if kind == "extra_forbidden":
        hint = did_you_mean(str(name), _fields_beside(model, finding["loc"]))
        return document.problem(where, f"unknown key {name!r}", hint)
    if kind == "missing":
        return document.problem(where, f"{name!r} is missing")
    message = worded(finding)
    told = f"{name}: {message}" if isinstance(name, str) and name else message
    return document.problem(where, told, _keys_within(model, finding["loc"]) if message == PAIRS else None)


def worded(finding: Any) -> str:
    """What pydantic found, in the words of who wrote it."""
    kind = finding["type"]
    message = _FINDINGS.get(kind) or finding["msg"].removeprefix("Value error, ")
    message = _too_short(finding) if kind in _TOO_SHORT else message
    return _ONLY_TRUE if message == "Input should be True" else message[:1].lower() + message[1:]


def _too_short(finding: Any) -> str:
    least = finding["ctx"]["min_length"]
    return f"needs {least} characters or more" if least > 1 else "must not be empty"


def _as_written(part: int | str) -> int | str:
    """`in_` is `in` in a file: some words are reserved in Python."""
    return part.rstrip("_") if isinstance(part, str) else part


def _keys_within(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    return "its keys: " + ", ".join(sorted(_fields_beside(model, (*loc, ""))))


def _fields_beside(model: type[BaseModel], loc: tuple[Any, ...]) -> set[str]:
    """The fields that may stand where a finding is."""
    for part in loc[:-1]:
        found = model.model_fields.get(part) if isinstance(part, str) else None
        inner = _inner_model(found.annotation) if found else None
        model = inner or model
    return {found.alias or name for name, found in model.model_fields.items()}


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_inner_model, get_args(annotation))), None)
