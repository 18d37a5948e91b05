"""POST /v1/…: the events API, in the shape of Segment's; and /v1/xapi/statements for course players.

The write key is the user of basic authentication, or `writeKey` in the body. What comes is kept at once and
looked at later.
"""

import json
import logging
from base64 import b64decode
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from engine.app.hearing import take_in_facts
from engine.app.project import Project
from engine.errors import StoreError
from engine.facts.receiving.parts import text
from engine.facts.receiving.sources import segment, xapi
from engine.facts.receiving.sources.source import same
from engine.web.bodies import read_or_refuse, unpacked
from engine.web.openapi.segment import told
from engine.web.openapi.xapi import told as told_of_statements
from engine.web.threads import Threads

LARGEST = 1024 * 1024  # Segment's clients send 500 kB at most
STATEMENTS = "xapi/statements"
ODD = "the body is not what the specification asks for"
LOGGER = logging.getLogger("aftersale")


class NotLetIn(Exception):
    """The write key is missing or wrong."""


def routes(project: Project) -> APIRouter:
    router, threads = APIRouter(), Threads("events")
    secret = project.settings.secrets.write_key
    key = secret.get_secret_value() if secret else ""

    async def take(request: Request, path: str) -> JSONResponse:
        if not key:
            return refused(503, "secrets.write_key is not set")
        body = await read_or_refuse(request, LARGEST, refused)
        if isinstance(body, JSONResponse):
            return body
        return await threads.do(_take_in, project, path, key, body, request.headers)

    for path in (*segment.ENDPOINTS, "batch", STATEMENTS):
        about = told_of_statements() if path == STATEMENTS else told(path)
        router.add_api_route(f"/v1/{path}", _at(take, path), methods=["POST"], name=path, **about)
    return router


def _at(take: Any, path: str) -> Any:
    async def endpoint(request: Request) -> JSONResponse:
        return await take(request, path)  # type: ignore[no-any-return]

    return endpoint


def _take_in(project: Project, path: str, key: str, body: bytes, headers: Headers) -> JSONResponse:
    try:
        return _keep(project, path, _opened(body, key, headers))
    except NotLetIn:
        return refused(401, "the write key is missing or wrong")
    except (ValueError, RecursionError):
        return refused(400, ODD)
    except StoreError:
        return refused(503, "not now")
    except Exception as error:  # noqa: BLE001 - nobody out there learns anything of it, and it is told again
        LOGGER.error("event refused", extra={"event_values": {"error": type(error).__name__}})
        return refused(500, "not now")


def _opened(body: bytes, key: str, headers: Headers) -> Any:
    """What it says, where the key came with it: in the header, or as some clients do it, in the body."""
    let_in = same(_user(headers.get("authorization", "")), key)
    try:
        said = json.loads(unpacked(body, headers.get("content-encoding", ""), LARGEST))
    except (ValueError, RecursionError):
        if let_in:
            raise
        raise NotLetIn from None
    own = text(said.pop("writeKey", "")) if isinstance(said, dict) else ""
    if not let_in and not same(own, key):
        raise NotLetIn
    return said


def _keep(project: Project, path: str, said: Any) -> JSONResponse:
    if path == STATEMENTS:
        statements = xapi.events(said)
        answer = JSONResponse(
            xapi.ids(statements)
        )  # an id that cannot be written is refused before it is kept
        take_in_facts(project, xapi.NAME, statements)
        return answer
    take_in_facts(project, segment.NAME, segment.events(path, said))
    return JSONResponse({"success": True})


def _user(authorization: str) -> str:
    """The user of basic authentication; '' where there is none."""
    scheme, _, said = authorization.partition(" ")
    try:
        return b64decode(said, validate=True).decode().partition(":")[0] if scheme.lower() == "basic" else ""
    except ValueError:
        return ""


def refused(status: int, why: str) -> JSONResponse:
    """As Segment's clients read it."""
    return JSONResponse({"success": False, "code": str(status), "message": why}, status_code=status)
