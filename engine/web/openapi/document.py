"""The document as a whole: the routes as they are, and the words that they share."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi.openapi.utils import get_openapi

from engine.app.project import Project
from engine.settings.model import Settings
from engine.web.application import application
from engine.web.openapi import answers, readers, security, segment, sendgrid, webhooks, xapi

ABOUT = """\
What the server of an Aftersale project answers, below its `web.url`. Programs tell facts by the events API;
shops, payment providers, course platforms and SendGrid by webhooks; readers of mails follow their links.

What is told is kept before it is answered, each event once, by its id: after no answer, 500 or 503 the same
can safely be sent again. Whatever else is in a body is let in. A body that is not of the shape told here may
be kept all the same; it is then parked when it is looked at.

At any other address the answer is 404, and 405 for any other method. No answer may be stored, or framed by a
page.
"""
TAGS = (
    (segment.TAG, "Facts told by programs of your own, in the shape of Segment's specification, or as xAPI."),
    (webhooks.TAG, "Facts told by services, and what becomes of mails. Each has a secret of its own."),
    (readers.TAG, "Where the links of mails lead. A token is signed, and made for one mail and one purpose."),
    ("Health", "For those who watch over the server."),
)
SERVER = {
    "url": "{url}",
    "description": "The setting `web.url`.",
    "variables": {"url": {"default": "https://mail.slowloaf.example"}},
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1. The routes are those of any project, whatever the environment sets."""
    app = application(Project(Path(__file__).parent, settings=Settings.model_construct()))
    made = get_openapi(
        title="Aftersale",
        version=version("aftersale"),
        openapi_version="3.1.0",
        summary="The marketing that starts after the sale.",
        description=ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": about} for name, about in TAGS],
        servers=[SERVER],
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    for operations in made["paths"].values():
        for each in operations.values():
            each["responses"].pop("422", None)  # the framework's own: nothing of ours is answered so
    made["components"] = {"schemas": _schemas(), "securitySchemes": _schemes()}
    return made


def document_text() -> str:
    """As the file that is committed with the reference."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _schemas() -> dict[str, Any]:
    rooms = (segment.SCHEMAS, xapi.SCHEMAS, webhooks.SCHEMAS, sendgrid.SCHEMAS, answers.SCHEMAS)
    return {name: schema for room in rooms for name, schema in room.items()}


def _schemes() -> dict[str, Any]:
    return {**security.SCHEMES, **webhooks.SCHEMES, **sendgrid.SCHEMES}
