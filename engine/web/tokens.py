"""What a request says: the mail its token stands for, and the few fields of a form."""

from collections.abc import Callable
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request

from engine.links import Forged, Purpose
from engine.settings.model import Settings

MOST = 10_000  # bytes of a form


def mail_of(settings: Settings, purpose: Purpose) -> Callable[[str], str]:
    """Reads the token of a path: the id of the mail that the link came with.

    What we never made, or made for another purpose, is nowhere.
    """

    def read(token: str) -> str:
        try:
            if settings.links is not None:
                return settings.links.read(purpose, token)
        except Forged:
            pass
        raise HTTPException(404)

    return read


async def form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form, as a browser sends it without a script."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST:
            raise HTTPException(413)
    try:
        return parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise HTTPException(400) from error
