"""A campaign file with mistakes, read as far as it goes: enough to look at its copy."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from engine.campaigns.form import TemplatePath
from engine.campaigns.model import Campaign, Email, Step
from engine.campaigns.wording import Words, WordsField
from engine.documents import Document
from engine.rules.model import All

_WORDS: TypeAdapter[Words] = TypeAdapter(WordsField)
_TEMPLATE: TypeAdapter[str] = TypeAdapter(TemplatePath)

T = TypeVar("T")


def sketch(document: Document) -> Campaign:
    """A campaign of which only the copy counts; subjects and templates that are no such thing are ''."""
    name, was = (str(document.data.get(key) or "") for key in ("campaign", "was"))
    sure = not {"campaign", "was"} & document.repeated.keys()
    return Campaign(
        id=(was or name) if sure else "",
        name=name,
        version="",
        steps=tuple(_steps(document.data.get("steps"))),
        audience=All(()),
        document=document,
    )


def _steps(steps: Any) -> Iterator[Step]:
    for number, step in enumerate(steps if isinstance(steps, list) else []):
        email = step.get("email") if isinstance(step, dict) else None
        if isinstance(email, dict):
            name = str(step.get("id") or number)
            began = str(step.get("was") or name)
            yield Step(began, timedelta(0), _email(email), number=number, name=name)


def _email(email: dict[str, Any]) -> Email:
    return Email(
        _sound(_WORDS, email.get("subject")) or "",
        _sound(_TEMPLATE, email.get("template")) or "",
        _sound(_WORDS, email.get("preheader")) or "",
    )


def _sound(kind: TypeAdapter[T], value: Any) -> T | None:
    with suppress(ValidationError):
        return kind.validate_python(value)
    return None
