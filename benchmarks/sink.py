"""A provider that takes everything, in a process of its own: it counts requests and bytes, and answers 202.

python -m benchmarks.sink       writes its port to standard output, and serves until it is told to end
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.request import urlopen

from benchmarks.child import ROOT


class Taken(NamedTuple):
    """What a sink has taken so far: requests, and the bytes of them on the wire."""

    requests: int
    bytes: int

    def since(self, before: "Taken") -> "Taken":
        return Taken(self.requests - before.requests, self.bytes - before.bytes)


class Sink(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    requests = 0
    bytes = 0


class Handler(BaseHTTPRequestHandler):
    """A connection, kept open from request to request where the client wants it."""

    server: Sink
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        heads = len(self.raw_requestline) + sum(
            len(name) + len(value) + 4 for name, value in self.headers.items()
        )
        self.server.requests += 1
        self.server.bytes += length + heads + 2
        self.send_response(202)
        self.send_header("X-Message-Id", f"sink-{self.server.requests}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        told = json.dumps([self.server.requests, self.server.bytes]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)


class Way(NamedTuple):
    """To a sink that runs."""

    url: str

    def taken(self) -> Taken:
        with urlopen(self.url) as answer:  # noqa: S310 - its own loopback address
            return Taken(*json.load(answer))


@contextmanager
def sink() -> Iterator[Way]:
    """A sink that runs until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.sink"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield Way(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


if __name__ == "__main__":
    server = Sink(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
