"""All routes as one application."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.app.project import Project
from engine.errors import AftersaleError, NotAdopted, StoreError
from engine.web import bodies
from engine.web.answers import PRIVATE, nowhere, page
from engine.web.routes import ROUTES, events

TOLD_APART = {"/v1/": events.refused, "/webhooks/": bodies.refused}
BUSY = {
    "title": "Please try again in a minute",
    "words": "Your wish could not be written down just now.",
}


def application(project: Project) -> FastAPI:
    """The application of a project. It shows no documentation of itself to the internet.

    An address with a slash too many is another one: who posts follows no redirect, and would not be told.
    """
    app = FastAPI(title="Aftersale", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    for routes in ROUTES.values():
        app.include_router(routes(project))

    @app.middleware("http")
    async def private(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Nothing is kept by anybody on the way, or told to where a link leads."""
        response = await answer(request)
        for name, value in PRIVATE.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(404)
    async def unknown(request: Request, _: HTTPException) -> Response:
        """Programs are told in their own language that they post to the wrong address."""
        asked = request.url.path
        tell = next((tell for path, tell in TOLD_APART.items() if asked.startswith(path)), None)
        return tell(404, "there is nothing at this address") if tell else nowhere(project)

    @app.exception_handler(NotAdopted)
    @app.exception_handler(StoreError)
    async def busy(_: Request, __: AftersaleError) -> Response:
        answer = page("told.html", project.settings, BUSY, 503)
        answer.headers["Retry-After"] = "60"
        return answer

    return app
