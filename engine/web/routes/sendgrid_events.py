"""POST /webhooks/sendgrid: what SendGrid tells of mails, believed for its signature alone.

It is kept at once and looked at later: whoever answers late is told everything twice.
"""

import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from engine.app.hearing import take_in
from engine.app.project import Project
from engine.delivery.receivers.signature import Verifier
from engine.errors import StoreError
from engine.web.bodies import read_or_refuse, refused
from engine.web.openapi.sendgrid import MOMENT, SIGNATURE, told
from engine.web.threads import Threads

LARGEST = 4 * 1024 * 1024  # SendGrid sends 768 kB at most
LOGGER = logging.getLogger("aftersale")


def routes(project: Project) -> APIRouter:
    router, threads = APIRouter(), Threads("sendgrid")
    key = project.settings.sendgrid.webhook_key
    verifier = Verifier(key) if key else None

    @router.post("/webhooks/sendgrid", **told())
    async def events(request: Request) -> JSONResponse:
        if verifier is None:  # SendGrid tries again for a day: time enough to set it
            return refused(503, "sendgrid.webhook_key is not set")
        body = await read_or_refuse(request, LARGEST)
        if isinstance(body, JSONResponse):
            return body
        signature, moment = request.headers.get(SIGNATURE), request.headers.get(MOMENT)
        return await threads.do(_take_in, project, verifier, body, (signature, moment))

    return router


def _take_in(
    project: Project, verifier: Verifier, body: bytes, signed: tuple[str | None, str | None]
) -> JSONResponse:
    try:
        if not verifier.accepts(body, *signed, project.clock.now()):
            return refused(401, "the signature is missing, wrong or too old")
        return JSONResponse({"kept": take_in(project, body.decode())})
    except StoreError:
        return refused(503, "not now")
    except Exception as error:  # noqa: BLE001 - nobody out there learns anything of it, and it is told again
        LOGGER.error("event refused", extra={"event_values": {"error": type(error).__name__}})
        return refused(500, "not now")
