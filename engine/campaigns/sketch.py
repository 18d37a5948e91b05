"""A campaign file with mistakes, read as far as it goes: enough to look at its copy."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine.campaigns.form import Subject, TemplatePath
from engine.campaigns.model import Campaign, Email, Step
from engine.documents import Document
from engine.rules.model import All

_SUBJECT: TypeAdapter[str] = TypeAdapter(Subject)
_TEMPLATE: TypeAdapter[str] = TypeAdapter(TemplatePath)


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
    return Email(_sound(_SUBJECT, email.get("subject")), _sound(_TEMPLATE, email.get("template")))


def _sound(kind: TypeAdapter[str], value: Any) -> str:
    with suppress(ValidationError):
        return kind.validate_python(value)
    return ""
