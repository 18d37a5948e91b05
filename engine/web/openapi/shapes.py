"""JSON Schema in a few words, as lenient as what is described: whatever else is in an object is let in."""

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]


def thing(about: str, parts: Schema, required: Sequence[str] = ()) -> Schema:
    """An object. What is required is what nothing is let in without."""
    needs = {"required": list(required)} if required else {}
    return {"type": "object", "description": about, "properties": parts, **needs}


def word(about: str, *examples: str) -> Schema:
    """A text; a number is one as well, and null says nothing."""
    return _told(["string", "number", "null"], about, examples)


def number(about: str, *examples: float) -> Schema:
    """A number, which may be written as a text."""
    return _told(["number", "string", "null"], about, examples)


def text(about: str, *examples: str) -> Schema:
    return _told("string", about, examples)


def instant(about: str) -> Schema:
    return text(about, "2026-03-10T09:00:00Z") | {"format": "date-time"}


def address(about: str) -> Schema:
    return text(about, "ann@example.com") | {"format": "email"}


def list_of(about: str, item: Schema) -> Schema:
    return {"type": "array", "description": about, "items": item}


def one_of_these_or_any(about: str, known: Sequence[str]) -> Schema:
    """A text of which these mean something."""
    return {"description": about, "anyOf": [{"enum": list(known)}, {"type": "string"}]}


def ref(name: str) -> Schema:
    """One of the schemas that the document names."""
    return {"$ref": f"#/components/schemas/{name}"}


def _told(kind: str | list[str], about: str, examples: Sequence[Any]) -> Schema:
    return {"type": kind, "description": about, **({"examples": list(examples)} if examples else {})}
