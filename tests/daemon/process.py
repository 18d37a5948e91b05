"""A daemon in a process of its own, which can be killed, frozen, and listened to.

Processes are forks of one server that has read the engine already: a start takes a moment. The clock
is virtual, and stands at the instant that a file names, for all of them.
"""

import json
import multiprocessing
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from engine.app.project import Project
from engine.clock import parse_instant
from engine.daemon.serve import serve

DEADLINE = 120.0  # seconds; far more than anything takes here
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.daemon.process"])


class FileClock:
    """Tells the instant that stands in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return parse_instant(self._file.read_text(encoding="utf-8"))


def set_clock(shop: Path, now: datetime) -> None:
    """In one step, for another process may be reading."""
    hidden = shop / ".clock.new"
    hidden.write_text(now.isoformat(), encoding="utf-8")
    hidden.replace(shop / ".clock")


def _work(shop: Path, environment: dict[str, str], log: Any, deadly: int) -> None:
    """A whole life: `aftersale run`, and at the `deadly`-th name given to a file or taken from it, an end."""
    for name in [name for name in os.environ if name.startswith("AFTERSALE_")]:
        del os.environ[name]  # those of the test that began the server
    os.environ.update({**environment, "AFTERSALE_RUN__LOG": "json"})
    os.dup2(log.fileno(), 2)
    left = deadly

    def die_in_time(event: str, _: Any) -> None:
        nonlocal left
        if event in ("os.link", "os.remove", "os.rename"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    project = Project(shop, FileClock(shop / ".clock"))
    if deadly:
        sys.addaudithook(die_in_time)
    code = serve(project)
    project.close()
    sys.exit(code)


class Daemon:
    """One of them, and what it has said so far."""

    def __init__(self, shop: Path, deadly: int = 0) -> None:
        self._ear, mouth = _PROCESSES.Pipe(duplex=False)
        environment = {name: value for name, value in os.environ.items() if name.startswith("AFTERSALE_")}
        self.process = _PROCESSES.Process(target=_work, args=(shop, environment, mouth, deadly))
        self.process.start()
        mouth.close()
        self.said: list[dict[str, Any]] = []
        self._rest = b""

    def wait_for(self, event: str, **values: Any) -> dict[str, Any]:
        """Listen until it tells of that event, with those values among others."""
        end = monotonic() + DEADLINE
        while True:
            line = self._line(end)
            assert line is not None, f"it ended, and never said {event!r} {values}: {self.said}"
            if line["event"] == event and values.items() <= line.items():
                return line

    def listen(self) -> list[dict[str, Any]]:
        """Everything it says until its end."""
        while self._line(monotonic() + DEADLINE) is not None:
            pass
        return self.said

    def speaks(self) -> bool:
        """Whether there is something to listen to within a second."""
        return b"\n" in self._rest or bool(select.select([self._ear], [], [], 1)[0])

    def _line(self, end: float) -> dict[str, Any] | None:
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._ear], [], [], max(end - monotonic(), 0))
            assert ready, f"it said nothing more in time: {self.said}"
            part = os.read(self._ear.fileno(), 65_536)
            if not part:
                return None
            self._rest += part
        first, _, self._rest = self._rest.partition(b"\n")
        assert first.startswith(b"{"), (first + self._rest).decode()
        self.said.append(json.loads(first))
        return self.said[-1]

    def signal(self, number: int) -> None:
        os.kill(self.process.pid or 0, number)

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        self.process.join(DEADLINE)
        assert self.process.exitcode is not None, "it never ended"
        return self.process.exitcode

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.ended()


@contextmanager
def daemon(shop: Path, deadly: int = 0) -> Iterator[Daemon]:
    """One that is killed at the end, unless it has ended by then."""
    one = Daemon(shop, deadly)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.join()


def wait_until(true: Callable[[], bool], one: Daemon) -> None:
    """Look again whenever the daemon says something, or is silent for a second: another may do the rest."""
    end = monotonic() + DEADLINE
    while not true():
        assert monotonic() < end, f"it never was so: {one.said}"
        if one.speaks():
            assert one._line(end) is not None, f"it ended before: {one.said}"
