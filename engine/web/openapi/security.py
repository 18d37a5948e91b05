"""How a request shows that it may come in."""

from typing import Any

WRITE_KEY = "writeKey"
OPEN: dict[str, list[str]] = {}  # nothing in the headers


def by(*schemes: str) -> dict[str, list[str]]:
    """All of these together."""
    return {name: [] for name in schemes}


def signature(header: str, about: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": header, "description": about}


SCHEMES: dict[str, dict[str, Any]] = {
    WRITE_KEY: {
        "type": "http",
        "scheme": "basic",
        "description": "The write key is the user; the password is passed over. Clients that cannot send "
        "this header say `writeKey` in the body. The key is the setting `secrets.write_key`; whoever has it "
        "can tell anything, so it does not belong into a web page.",
    },
}
