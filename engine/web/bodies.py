"""The bodies of requests by machines, to the byte, and answers that tell them no more than they need."""

import zlib
from collections.abc import Callable

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

GZIP = 31  # zlib's word for it


async def read_or_refuse(
    request: Request, largest: int, refuse: Callable[[int, str], JSONResponse] | None = None
) -> bytes | JSONResponse:
    """The body as it came, or the answer to one that is too large or broken off."""
    try:
        body = await read_body(request, largest)
    except ClientDisconnect:
        return (refuse or refused)(400, "broken off")
    return (refuse or refused)(413, "too large") if body is None else body


async def read_body(request: Request, largest: int) -> bytes | None:
    """The body as it came; None where it is too large."""
    if _announced(request) > largest:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            return None
    return bytes(body)


def unpacked(body: bytes, encoding: str, largest: int) -> bytes:
    """The body without its gzip. Raises ValueError for what is no gzip, or larger than that."""
    if encoding.strip().lower() != "gzip":
        return body
    unpacker = zlib.decompressobj(GZIP)
    try:
        found = unpacker.decompress(body, largest)
    except zlib.error as error:
        msg = "the body is no gzip"
        raise ValueError(msg) from error
    if not unpacker.eof:
        msg = "the body is too large, or broken off"
        raise ValueError(msg)
    return found


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def refused(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status_code=status)
