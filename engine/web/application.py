"""All routes as one application."""

from fastapi import FastAPI

from engine.app.project import Project
from engine.web.routes import ROUTES


def application(project: Project) -> FastAPI:
    """The application of a project. It shows no documentation of itself to the internet."""
    app = FastAPI(title="Aftersale", docs_url=None, redoc_url=None, openapi_url=None)
    for routes in ROUTES.values():
        app.include_router(routes(project))
    return app
