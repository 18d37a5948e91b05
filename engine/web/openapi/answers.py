"""What each code of an answer means."""

from typing import Any

from engine.web.openapi.operation import HTML, JSON, PLAIN
from engine.web.openapi.shapes import Schema, ref

AGAIN = "Nothing was kept: send the same again later, with a longer pause after each time."
UNFORESEEN = "Something that nobody foresaw. " + AGAIN
TOO_LARGE = "The body is larger than is read."
RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}


def answer(about: str, schema: Schema, example: Any = None, media: str = JSON) -> dict[str, Any]:
    shown = {} if example is None else {"example": example}
    return {"description": about, "content": {media: {"schema": schema, **shown}}}


def page(about: str) -> dict[str, Any]:
    """A page for a person, in the shop's name."""
    return answer(about, {"type": "string"}, media=HTML)


def without_body(told: dict[str, Any]) -> dict[str, Any]:
    """The answer to a HEAD."""
    return {name: said for name, said in told.items() if name != "content"}


CRASHED = answer("Something that nobody foresaw: ask again later.", {"type": "string"}, media=PLAIN)
BUSY = page("The database cannot be read or written just now.") | {"headers": RETRY_AFTER}
NO_LINK = page("The link is none of this shop's, or was cut off.")
GONE = page("The link is the shop's, and nothing is known of its mail or its reader any longer.")
REFUSED_FORM = ref("FormRefused")

SCHEMAS: dict[str, Schema] = {
    "FormRefused": {
        "type": "object",
        "description": "Why a form was not read.",
        "properties": {"detail": {"type": "string"}},
        "required": ["detail"],
    },
}
