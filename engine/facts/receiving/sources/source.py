"""A program that tells facts: how its events are read, and how what it posts is believed."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from engine.facts.receiving.saying import Said

Events = Sequence[tuple[Any, Any]]  # each with its own id, None where it has none


class Posted(NamedTuple):
    """A request: the body to the byte, the headers by their names in small letters, and the address's end."""

    body: bytes
    headers: Mapping[str, str]
    token: str = ""

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


def _never(_: Any) -> bool:
    return False


@dataclass(frozen=True)
class Source:
    """`secret` is the setting below `secrets` without which nothing of it is let in."""

    name: str
    secret: str
    read: Callable[[Any, datetime], Said]  # a kept event; raises NotUnderstood or Refused
    is_test: Callable[[Any], bool] = field(default=_never, kw_only=True)  # by its sender's own word


@dataclass(frozen=True)
class Hook(Source):
    """One that posts by itself. `believes` knows its secret; `events` raises ValueError for an odd body."""

    believes: Callable[[Posted, str, datetime], bool]
    events: Callable[[Posted], Events]


def same(said: str, secret: str) -> bool:
    """Whether it is the secret; how long that takes tells nothing."""
    return hmac.compare_digest(said.encode(), secret.encode())


def by_address(posted: Posted, secret: str, _: datetime) -> bool:
    """Of who signs nothing: the secret stands at the end of the address."""
    return same(posted.token, secret)


def digest(body: bytes, secret: str) -> bytes:
    """The HMAC of a body."""
    return hmac.new(secret.encode(), body, sha256).digest()
