"""The menu of routes: one file and one line each."""

from collections.abc import Callable

from fastapi import APIRouter

from engine.app.project import Project
from engine.web.routes import events, health, sendgrid_events, unsubscribe, view, webhooks

ROUTES: dict[str, Callable[[Project], APIRouter]] = {
    "events": events.routes,
    "health": health.routes,
    "sendgrid_events": sendgrid_events.routes,
    "unsubscribe": unsubscribe.routes,
    "view": view.routes,
    "webhooks": webhooks.routes,
}
