"""POST /webhooks/NAME: what shops, payment providers and course platforms tell, believed by signature.

Those that sign nothing are given an address with a secret at its end: /webhooks/NAME/SECRET.
"""

import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from engine.app.hearing import take_in_facts
from engine.app.project import Project
from engine.errors import StoreError
from engine.facts.receiving.sources import HOOKS
from engine.facts.receiving.sources.source import Hook, Posted
from engine.web.bodies import read_or_refuse, refused
from engine.web.threads import Threads

LARGEST = 4 * 1024 * 1024
LOGGER = logging.getLogger("aftersale")


def routes(project: Project) -> APIRouter:
    router, threads = APIRouter(), Threads("webhooks")

    async def take(request: Request, token: str = "") -> JSONResponse:
        hook = HOOKS[request.url.path.split("/webhooks/")[-1].partition("/")[0]]
        secret = getattr(project.settings.secrets, hook.secret)
        if secret is None:
            return refused(503, f"secrets.{hook.secret} is not set")
        body = await read_or_refuse(request, LARGEST)
        if isinstance(body, JSONResponse):
            return body
        posted = Posted(body, dict(request.headers), token)
        return await threads.do(_take_in, project, hook, secret.get_secret_value(), posted)

    for name in HOOKS:
        router.add_api_route(f"/webhooks/{name}", take, methods=["POST"], name=name)
        router.add_api_route(f"/webhooks/{name}/{{token}}", take, methods=["POST"], name=f"{name} by address")
    return router


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
