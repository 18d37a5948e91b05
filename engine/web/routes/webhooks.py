"""POST /webhooks/NAME: what shops, payment providers and course platforms tell, believed by signature.

Those that sign nothing are given an address with a secret at its end: /webhooks/NAME/SECRET.
"""

import logging
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from engine.app.hearing import take_in_facts
from engine.app.project import Project
from engine.errors import StoreError
from engine.facts.receiving.sources import HOOKS
from engine.facts.receiving.sources.source import Hook, Posted, by_address
from engine.web.bodies import read_or_refuse, refused
from engine.web.openapi.webhooks import Secret, told
from engine.web.threads import Threads

LARGEST = 4 * 1024 * 1024
LOGGER = logging.getLogger("aftersale")
Take = Callable[..., Awaitable[JSONResponse]]


def routes(project: Project) -> APIRouter:
    router, threads = APIRouter(), Threads("webhooks")

    async def take(hook: Hook, request: Request, token: str = "") -> JSONResponse:
        secret = getattr(project.settings.secrets, hook.secret)
        if secret is None:
            return refused(503, f"secrets.{hook.secret} is not set")
        body = await read_or_refuse(request, LARGEST)
        if isinstance(body, JSONResponse):
            return body
        posted = Posted(body, dict(request.headers), token)
        return await threads.do(_take_in, project, hook, secret.get_secret_value(), posted)

    for name, hook in HOOKS.items():
        at, end = (_by_address, "/{secret}") if hook.believes is by_address else (_by_signature, "")
        path = f"/webhooks/{name}{end}"
        router.add_api_route(path, at(take, hook), methods=["POST"], name=name, **told(name))
    return router


def _by_signature(take: Take, hook: Hook) -> Take:
    async def endpoint(request: Request) -> JSONResponse:
        return await take(hook, request)

    return endpoint


def _by_address(take: Take, hook: Hook) -> Take:
    async def endpoint(request: Request, secret: Secret) -> JSONResponse:
        return await take(hook, request, secret)

    return endpoint


def _take_in(project: Project, hook: Hook, secret: str, posted: Posted) -> JSONResponse:
    try:
        if not hook.believes(posted, secret, project.clock.now()):
            return refused(401, "the signature is missing, wrong or too old")
        return JSONResponse({"kept": take_in_facts(project, hook.name, hook.events(posted))})
    except (ValueError, RecursionError):
        return refused(400, "the body cannot be read")
    except StoreError:
        return refused(503, "not now")
    except Exception as error:  # noqa: BLE001 - nobody out there learns anything of it, and it is told again
        LOGGER.error("event refused", extra={"event_values": {"error": type(error).__name__}})
        return refused(500, "not now")
