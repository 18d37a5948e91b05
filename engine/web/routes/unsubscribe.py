"""/u/TOKEN: the one click of mail programs (RFC 8058), and the page where a reader chooses what to get.

Only a POST changes anything, for scanners and previews follow every link with a GET.
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from engine.app.files import UpToDate
from engine.app.project import Project
from engine.app.unsubscribing import Standing, choose, one_click, standing, stop_all
from engine.links import Purpose
from engine.web.answers import gone, mask, page
from engine.web.openapi.readers import CHOOSE, ONE_CLICK, PREFERENCES, PREFERENCES_HEAD, STOP, Token
from engine.web.threads import Threads
from engine.web.tokens import form, mail_of

Fields = Annotated[list[tuple[str, str]], Depends(form)]


def routes(project: Project) -> APIRouter:
    router, threads = APIRouter(), Threads("wishes")
    here, read, now = UpToDate(project), mail_of(project.settings, Purpose.UNSUBSCRIBE), project.clock.now

    @router.head("/u/{token}", response_class=Response, **PREFERENCES_HEAD)
    @router.get("/u/{token}", response_class=HTMLResponse, **PREFERENCES)
    def look(token: Token) -> Response:
        return _page(project, token, standing(here.project(), read(token), now()))

    @router.post("/u/{token}", response_class=PlainTextResponse, **ONE_CLICK)
    async def click(token: Token) -> Response:
        """Whatever the body says: who posts here wants no more of these."""

        def work() -> Response:
            reader = one_click(project, read(token), now())
            return PlainTextResponse("You are unsubscribed.\n") if reader else gone(project)

        return await threads.do(work)

    @router.post("/u/{token}/all", response_class=HTMLResponse, **STOP)
    async def stop(token: Token) -> Response:
        def work() -> Response:
            done = stop_all(here.project(), read(token), now())
            return _page(project, token, done, "Done: you get no more of our letters.")

        return await threads.do(work)

    @router.post("/u/{token}/topics", response_class=HTMLResponse, **CHOOSE)
    async def save(token: Token, fields: Fields) -> Response:
        wanted = {value for name, value in fields if name == "topic"}

        def work() -> Response:
            done = choose(here.project(), read(token), wanted, now())
            return _page(project, token, done, "Saved. This is what you get from now on.")

        return await threads.do(work)

    return router


def _page(project: Project, token: str, found: Standing | None, said: str = "") -> HTMLResponse:
    if found is None:
        return gone(project)
    values = {
        "found": found,
        "address": mask(found.reader.address),
        "said": said,
        "path": f"{urlsplit(project.settings.web.url).path}/{Purpose.UNSUBSCRIBE}/{token}",
    }
    return page("preferences.html", project.settings, values)
