"""GET /m/TOKEN: the mail in a browser, written once more."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from engine.app.files import UpToDate
from engine.app.project import Project
from engine.app.viewing import page_of, shown_again
from engine.links import Purpose
from engine.web.answers import page, shown
from engine.web.openapi.readers import VIEW, Token
from engine.web.tokens import mail_of

GONE = {
    "title": "This mail can no longer be shown",
    "words": "What it was made of has changed since it was sent, or is no longer kept.",
}


def routes(project: Project) -> APIRouter:
    router = APIRouter()
    here, read = UpToDate(project), mail_of(project.settings, Purpose.VIEW)

    @router.get("/m/{token}", response_class=HTMLResponse, **VIEW)
    def view(token: Token) -> Response:
        mail = shown_again(here.project(), read(token))
        return shown(page_of(project, mail)) if mail else page("told.html", project.settings, GONE, 410)

    return router
