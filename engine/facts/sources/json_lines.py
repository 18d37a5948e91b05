"""JSON Lines: one object on each line.

An object within an object is flattened, `{"customer": {"email": …}}` to `customer.email`. An order may
carry its lines in a list `lines`; each of them is a row, which says what its order says as well.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, BinaryIO

from engine.errors import ImportFailed
from engine.facts.reading import MOST_BYTES, Record
from engine.facts.refusal import shown
from engine.facts.sources.cells import cell

LINES = "lines"
NO_LINES = "has no lines: its list of lines is empty"
MOST_NAMES = 2_000
MOST_DIGITS = 30
Fields = dict[str, str]


def names(file: BinaryIO, name: str) -> list[str]:
    """The names of all fields, in order of appearance. Raises ImportFailed where there are too many."""
    found: dict[str, None] = {}
    for _, objects, _ in _objects(file):
        for each in objects:
            found.update(dict.fromkeys(each))
        if len(found) > MOST_NAMES:
            msg = f"{name} names more than {MOST_NAMES:,} different fields"
            raise ImportFailed(msg, hint="is a value written where a name should stand?")
    return list(found)


def records(file: BinaryIO, header: Sequence[str]) -> Iterator[Record]:
    """The rows of the file, their fields in the order of the header."""
    for place, objects, defect in _objects(file):
        if defect:
            yield Record(place, [], defect)
        for each in objects:
            yield Record(place, [each.get(name, "") for name in header], "")


def _objects(file: BinaryIO) -> Iterator[tuple[tuple[int, int, int], list[Fields], str]]:
    """Of each line its place, its rows, and what is wrong with it."""
    number = offset = 0
    while line := file.readline(MOST_BYTES):
        number += 1
        size = len(line)
        while not line.endswith(b"\n") and (more := file.readline(MOST_BYTES)):
            line, size = more, size + len(more)  # the rest of an endless line is passed over
        place = (number, offset, size)
        offset += size
        if size >= MOST_BYTES:
            yield place, [], f"longer than {MOST_BYTES:,} bytes"
        elif line.strip():
            yield (place, *_read(line))


def _read(line: bytes) -> tuple[list[Fields], str]:
    try:
        value = _DECODER.decode(line.decode("utf-8-sig").strip())
        if isinstance(value, dict):
            defect = _misfit(value[LINES]) if LINES in value else ""
            return ([], defect) if defect else (_rows(value), "")
    except Twice as error:
        return [], f"has the field {shown(str(error))} twice"
    except UnicodeDecodeError:
        return [], "is not text in utf-8"
    except RecursionError:
        return [], "is nested too deeply"
    except ValueError as error:
        return [], f"is not JSON: {error}"
    return [], f"is not a JSON object: {shown(line.decode().strip())}"


def _misfit(lines: Any) -> str:
    """What is wrong with a list of lines; a word or a number is none, and a column like any other."""
    if lines is None:
        return "has no lines: its list of lines is null"
    if isinstance(lines, dict):
        return "has no list of lines: its lines are an object"
    strange = [line for line in lines if not isinstance(line, dict)] if isinstance(lines, list) else []
    if strange:
        return f"has a line that is no object: {shown(json.dumps(strange[0]))}"
    return NO_LINES if lines == [] else ""


class Twice(ValueError):
    """A field that stands twice in one object: nobody knows which is meant."""


def _once(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Twice(next(name for name in names if names.count(name) > 1))
    return found


def _written_out(number: str) -> str:
    """1e3 is 1000; what no amount could be stays as it is written, and is refused as such."""
    value = Decimal(number) if "e" in number.lower() else None
    return f"{value:f}" if value is not None and abs(value.adjusted()) <= MOST_DIGITS else number


_DECODER = json.JSONDecoder(
    parse_float=_written_out, parse_int=str, parse_constant=str, object_pairs_hook=_once
)


def _rows(value: Mapping[str, Any]) -> list[Fields]:
    lines = value.get(LINES)
    if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
        return [_flat(value)]
    whole = _flat({name: each for name, each in value.items() if name != LINES})
    return [whole | _flat(line) for line in lines]


def _flat(value: Mapping[str, Any], before: str = "") -> Fields:
    found: Fields = {}
    for name, each in value.items():
        whole = f"{before}{name}"
        new = _flat(each, f"{whole}.") if isinstance(each, dict) else {whole: cell(each)}
        if twice := found.keys() & new.keys():  # once within an object, and once with a point
            raise Twice(min(twice))
        found |= new
    return found
