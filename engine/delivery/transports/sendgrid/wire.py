"""One connection to the provider, kept open from request to request.

Built on `http.client`, which follows no redirect, repeats no request and asks no proxy. What matters
is when something failed: before the body was handed to the connection nothing can have been accepted,
afterwards nobody knows. See decision 21.
"""

import json
import select
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import socket
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from engine.delivery.transports.in_time import in_time
from engine.delivery.transports.tls import in_words
from engine.settings.delivery import SendGrid

SEND = "/v3/mail/send"
LONGEST_ANSWER = 1_000_000


class Unreachable(Exception):
    """No connection, or none that takes a request: nothing was sent."""


class NoAnswer(Exception):
    """The request may have arrived, and nothing usable came back."""


@dataclass(frozen=True)
class Response:
    """What the provider said. Names of headers are in small letters; a body that is no JSON is None."""

    status: int
    headers: Mapping[str, str]
    body: Any = None


class Head(NamedTuple):
    """How a request begins, and how long its body is."""

    method: str
    path: str
    length: int


class TimelyResponse(HTTPResponse):
    """An answer that is whole within the time-out of its socket, however slowly its bytes come."""

    def __init__(self, sock: socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp.close()
        self.fp, _ = in_time(sock, sock.gettimeout() or 0.0)


class Wire:
    """Carries requests, one after the other."""

    def __init__(
        self,
        settings: SendGrid,
        key: str,
        clock: Callable[[], float] = time.monotonic,
        longest: int = LONGEST_ANSWER,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._longest = longest  # of an answer that is read to its end
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self._connection: HTTPConnection | None = None
        self._used = 0.0

    def post(self, body: bytes) -> Response:
        """Hand over one request to send mail. Raises Unreachable or NoAnswer."""
        return self.ask("POST", SEND, body)

    def ask(self, method: str, path: str, body: bytes = b"") -> Response:
        """Hand over one request, whatever it asks for. Raises Unreachable or NoAnswer."""
        connection = self._open_with_head(Head(method, path, len(body)))
        try:
            response = self._answered(connection, body)
        except BaseException:
            self.close()
            raise
        self._used = self._clock()
        return response

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    # ── before the body ─────────────────────────────────────────────────────────────────────────

    def _open_with_head(self, head: Head) -> HTTPConnection:
        """A connection that has taken the head of a request; a new one where an old one will not."""
        if kept := self._kept():
            with suppress(OSError, HTTPException):
                return self._begin(kept, head)
            self.close()
        try:
            return self._begin(self._opened(), head)
        except (OSError, HTTPException) as error:
            self.close()
            raise Unreachable(_told(error)) from error

    def _kept(self) -> HTTPConnection | None:
        """The connection of the last request, if it is fresh and nobody has closed it."""
        if not self._connection:
            return None
        stale = self._clock() - self._used > self._settings.idle.total_seconds()
        if stale or not self._connection.sock or _has_news(self._connection):
            self.close()
        return self._connection

    def _opened(self) -> HTTPConnection:
        host = urlsplit(self._settings.host)
        kind = HTTPSConnection if host.scheme == "https" else HTTPConnection
        seconds = self._settings.connect_timeout.total_seconds()
        self._connection = kind(host.hostname or "", host.port, timeout=seconds)
        self._connection.response_class = TimelyResponse
        self._connection.connect()
        self._connection.sock.settimeout(self._settings.timeout.total_seconds())
        return self._connection

    def _begin(self, connection: HTTPConnection, head: Head) -> HTTPConnection:
        connection.putrequest(head.method, head.path, skip_accept_encoding=True)
        for name, value in {**self._headers, "Content-Length": str(head.length)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection

    # ── from the body on ────────────────────────────────────────────────────────────────────────

    def _answered(self, connection: HTTPConnection, body: bytes) -> Response:
        try:
            self._push(connection, body)
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise NoAnswer(_told(error)) from error
        return Response(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            self._body(response),
        )

    @staticmethod
    def _push(connection: HTTPConnection, body: bytes) -> None:
        """Who refuses a request may hang up before it is read to its end, and yet have answered."""
        with suppress(ConnectionError):
            connection.send(body)

    def _body(self, response: HTTPResponse) -> Any:
        """The status is known by now, so that a body torn off changes nothing but what can be told."""
        try:
            said = response.read(self._longest)
        except (OSError, HTTPException):
            said = b""
        if not response.isclosed() or response.will_close:
            self.close()
        with suppress(ValueError, RecursionError):
            return json.loads(said)
        return None


def _has_news(connection: HTTPConnection) -> bool:
    """Whether something came while nothing was asked: the end of the connection, or nonsense."""
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLError):
        return in_words(error)
    said = getattr(error, "strerror", None) or str(error)
    return f"{said or type(error).__name__}".strip().lower()
