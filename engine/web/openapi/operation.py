"""One operation: what its route hands to the framework, so that the document tells of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.web.openapi.shapes import Schema

JSON, FORM, HTML, PLAIN = "application/json", "application/x-www-form-urlencoded", "text/html", "text/plain"
Answers = Mapping[int, dict[str, Any]]
Examples = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`id` is its name in clients that are generated. `security`: any one of these lets a request in."""

    id: str
    tag: str
    summary: str
    about: str
    answers: Answers
    security: Sequence[Mapping[str, Sequence[str]]] = ()
    parameters: Sequence[dict[str, Any]] = ()
    body: dict[str, Any] | None = None

    def told(self) -> dict[str, Any]:
        """As a route takes it."""
        more = {
            **({"security": [dict(each) for each in self.security]} if self.security else {}),
            **({"parameters": list(self.parameters)} if self.parameters else {}),
            **({"requestBody": self.body} if self.body else {}),
        }
        return {
            "operation_id": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.about,
            "response_model": None,
            "responses": dict(self.answers),
            "openapi_extra": more,
        }


def body(content: Mapping[str, Schema], *, required: bool = True, examples: Examples | None = None) -> Schema:
    """The body of a request, by its media types; the examples are of the first of them."""
    told = {media: {"schema": schema} for media, schema in content.items()}
    if examples:
        told[next(iter(told))]["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"required": required, "content": told}


def header(name: str, about: str, *examples: str) -> Schema:
    """A header that may be sent, and need not."""
    shown = {"examples": {each: {"value": each} for each in examples}} if examples else {}
    return {"name": name, "in": "header", "description": about, "schema": {"type": "string"}, **shown}
