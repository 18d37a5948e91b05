"""The fake as an HTTP server: sending, its lists, and what tests ask of it below `/fake/`."""

import json
import os
import signal
import socket
import struct
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe
from threading import Event
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fake_sendgrid.judging import Wrong, judged, parsed
from tests.fake_sendgrid.lists import Lists, Said
from tests.fake_sendgrid.merging import mails
from tests.fake_sendgrid.orders import SEND, Order, Orders
from tests.fake_sendgrid.records import Records
from tests.fake_sendgrid.stored import STORED, Stored

KEY = "SG.fake-key-for-tests.not-a-secret"
LARGEST = 30_000_000
ORDERS, SEEN, LISTS, ASKED = "/fake/orders", "/fake/requests", "/fake/lists", "/fake/asked"
CLOCK = "/fake/clock"


class FakeSendGrid(ThreadingHTTPServer):
    """Holds what outlasts one connection. `largest` is the longest body it takes."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, records: Path, port: int = 0, largest: int = LARGEST) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.records = Records(records)
        self.orders = Orders()
        self.largest = largest
        self.now: int | None = None  # a second that stands still; else as time goes by
        self.lists, self.stored = Lists(self.clock), Stored(records)
        self.seen: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.ending = Event()

    def clock(self) -> int:
        return int(time.time()) if self.now is None else self.now

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection, kept open from request to request."""

    server: FakeSendGrid
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        shown = {SEEN: self.server.seen, ASKED: self.server.asked, LISTS: self.server.lists.shown()}
        if self.path in shown:
            self._answer(HTTPStatus.OK, json.dumps(shown[self.path]).encode())
        else:
            self._ask("GET", b"")

    def do_DELETE(self) -> None:
        self.server.orders, self.server.seen, self.server.asked = Orders(), [], []
        self._answer(HTTPStatus.OK)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == ORDERS:
            self.server.orders.give(Order(**json.loads(raw)))
            self._answer(HTTPStatus.OK)
        elif self.path == SEND:
            self._send(raw)
        elif self.path == CLOCK:
            self.server.now = json.loads(raw)
            self._answer(HTTPStatus.OK)
        elif self.path == LISTS:
            self.server.lists.set(json.loads(raw))
            self._answer(HTTPStatus.OK)
        else:
            self._ask("POST", raw)

    # ── what is asked beside sending ────────────────────────────────────────────────────────────

    def _ask(self, method: str, raw: bytes) -> None:
        order = self.server.orders.next(self.path)
        said = self._said(method, raw)
        self.server.asked.append({
            "method": method, "path": self.path, "accept": self.headers.get("Accept"),
            "body": json.loads(raw) if raw else None, "status": order.status or said.status,
            "answer": None if order.status else said.body,
        })  # fmt: skip
        if self._made_trouble(order):
            return
        if said.wrong:
            self._errors(said.status, *said.wrong)
        else:
            kind = {"Content-Type": "application/json"}
            self._answer(said.status, json.dumps(said.body).encode(), {**kind, **order.headers})

    def _said(self, method: str, raw: bytes) -> Said:
        if refused := self._refused(raw):
            return Said(refused[0], wrong=tuple(refused[2]))
        where = urlsplit(self.path)
        query = dict(parse_qsl(where.query, keep_blank_values=True, strict_parsing=bool(where.query)))
        if method == "GET" and where.path.startswith(STORED):
            return self.server.stored.get(where.path, query)
        if method == "GET":
            return self.server.lists.get(where.path, query, self.headers)
        try:
            body = parsed(raw)
        except (ValueError, UnicodeDecodeError):
            return Said(HTTPStatus.BAD_REQUEST, wrong=(Wrong("Bad Request", None),))
        if where.path.startswith(STORED):
            return self.server.stored.post(where.path, body)
        return self.server.lists.post(where.path, body)

    def _made_trouble(self, order: Order) -> bool:
        """Hang, hang up or answer as it was ordered; whether it was ordered to do so."""
        if order.hang:
            self.server.ending.wait()
        elif order.reset:
            self._reset()
        elif order.status:
            self._answer(order.status, order.body.encode(), order.headers)
        return bool(order.hang or order.reset or order.status)

    # ── sending ─────────────────────────────────────────────────────────────────────────────────

    def _send(self, raw: bytes) -> None:
        order = self.server.orders.next()
        status, headers, wrong = self._judge(raw, order)
        self.server.seen.append({"status": int(status), "bytes": len(raw), "port": self.client_address[1]})
        if order.kill:
            os.kill(order.kill, signal.SIGKILL)
        if self._made_trouble(order):
            return
        if wrong:
            self._errors(status, *(w._replace(field=None) if order.vague else w for w in wrong))
        else:
            self._answer(status, b"", headers)

    def _judge(self, raw: bytes, order: Order) -> tuple[int, dict[str, str], list[Wrong]]:
        """Take the mails of a sound request, unless something else was ordered; its status and headers."""
        if refused := self._refused(raw):
            return refused
        try:
            body = parsed(raw)
        except (ValueError, UnicodeDecodeError):
            return HTTPStatus.BAD_REQUEST, {}, [Wrong("Bad Request", None)]
        if wrong := judged(body):
            return HTTPStatus.BAD_REQUEST, {}, wrong
        if body.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return HTTPStatus.OK, {}, []
        message_id = token_urlsafe(16)
        if order.accept or not (order.status or order.reset or order.hang or order.kill):
            self.server.records.keep(list(mails(body, message_id, self.server.clock())))
        return HTTPStatus.ACCEPTED, {"X-Message-Id": message_id}, []

    def _refused(self, raw: bytes) -> tuple[int, dict[str, str], list[Wrong]] | None:
        """What is wrong with a request before anybody looks into it."""
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            message = "The provided authorization grant is invalid, expired, or revoked"
            return HTTPStatus.UNAUTHORIZED, {}, [Wrong(message, None)]
        if self.headers.get_content_type() != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {}, [Wrong("Unsupported Media Type", None)]
        if len(raw) > self.server.largest:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {}, [Wrong("Payload Too Large", None)]
        return None

    def _errors(self, status: int, *wrong: Wrong) -> None:
        body = json.dumps({"errors": [one.as_json() for one in wrong]}).encode()
        self._answer(status, body, {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Let the other side see a reset connection, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True
