"""Markdown: tables and code, and the fields of a model as rows of a table."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.campaigns.model import Entry
from engine.clock import format_duration
from pages.types import limits, type_in_words


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell does not end it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str, language: str = "yaml") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def page(title: str, *parts: str) -> str:
    """A whole page: its title and its parts, with a blank line between them."""
    return "\n\n".join([f"# {title}", *(part.strip() for part in parts)]) + "\n"


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields a file may write, by the name it writes."""
    found = model.model_fields.items()
    return {field.alias or name.rstrip("_"): field for name, field in found if not field.exclude}


def field_rows(model: type[BaseModel], names: Iterable[str] | None = None) -> list[list[str]]:
    """A row for each field: name, type, default, meaning."""
    known = fields(model)
    return [[f"`{name}`", *_field(model, name, known[name])] for name in (names or known)]


def _field(model: type[BaseModel], name: str, field: FieldInfo) -> list[str]:
    hints = get_type_hints(model, include_extras=True)
    annotation = hints[name] if name in hints else hints[f"{name}_"]
    said = ", ".join(filter(None, [type_in_words(annotation), limits(field)]))
    return [said, default(field), field.description or ""]


def default(field: FieldInfo) -> str:
    """What holds where nothing is written."""
    if field.is_required():
        return "**required**"
    said = field.json_schema_extra.get("default") if isinstance(field.json_schema_extra, dict) else None
    if said is not None:
        return f"`{_plain(said)}`" if said in (False, "once") or ":" in str(said) else str(said)
    value = field.get_default(call_default_factory=True)
    return f"`{_plain(value)}`" if value not in (None, "", (), {}) else "none"


def _plain(value: Any) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Decimal):
        return f"{value:.0%}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return "once" if value == Entry() else str(value)
