"""Pages for readers of mails: plain HTML that works without a script, and headers that keep it private."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from engine.app.project import Project
from engine.settings.model import Settings

_SHUT = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_STYLE = files("engine.web").joinpath("pages", "_style.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
PAGE_POLICY = f"{_SHUT}; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'"
MAIL_POLICY = f"{_SHUT}; style-src 'unsafe-inline'; img-src https: data:; form-action 'none'"
PRIVATE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _SHUT,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_PAGES = Environment(
    loader=PackageLoader("engine.web", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(name: str, settings: Settings, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """One of our pages, in the shop's name."""
    told = {"shop": settings.shop, "sender": settings.sender, "style": _STYLE, **values}
    html = _PAGES.get_template(name).render(told)
    return HTMLResponse(html, status, {"Content-Security-Policy": PAGE_POLICY})


def shown(html: str) -> HTMLResponse:
    """A mail as a page; it may show pictures, and do nothing else."""
    return HTMLResponse(html, headers={"Content-Security-Policy": MAIL_POLICY})


def nowhere(project: Project) -> HTMLResponse:
    """The link is none of ours, or cut off."""
    said = {
        "title": "This link leads nowhere",
        "words": "It may have been cut off on its way. Try the link in the mail itself once more.",
    }
    return page("told.html", project.settings, said, 404)


def gone(project: Project) -> HTMLResponse:
    """The link is ours, and nothing is known of its mail or its reader."""
    said = {
        "title": "Nothing is known of this mail any longer",
        "words": "So nothing can be changed through this link.",
    }
    return page("told.html", project.settings, said, 410)


def mask(address: str) -> str:
    """An address so that its owner knows it and nobody else learns it: `a•••@example.com`."""
    user, _, domain = address.rpartition("@")
    return f"{user[:1]}•••@{domain}"
