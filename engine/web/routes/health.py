"""GET /health: whether the server and its database answer, for those who watch over it."""

from fastapi import APIRouter
from sqlalchemy import select

from engine.app.project import Project
from engine.web.openapi.readers import HEALTH


def routes(project: Project) -> APIRouter:
    router = APIRouter()

    @router.get("/health", **HEALTH)
    def health() -> dict[str, str]:
        with project.store.reading() as connection:
            connection.execute(select(1))
        return {"status": "ok"}

    return router
