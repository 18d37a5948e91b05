"""One tick from the plan to the files of the folder transport: mails per second, and where the time goes."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from benchmarks.bench import Bench
from benchmarks.findings import Finding
from benchmarks.shop import NOW
from engine.app.project import Project
from engine.app.running import plan_now
from engine.clock import VirtualClock
from engine.delivery.deliver import Delivered, Way, deliver
from engine.delivery.transports.folder import FolderTransport
from engine.planning.state import be_the_planner

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Stopwatch:
    """Adds up the seconds spent in what it is put around."""

    seconds: float = 0

    def around(self, do: Callable[P, R]) -> Callable[P, R]:
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            start = time.perf_counter()
            try:
                return do(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


def ask(bench: Bench) -> Iterator[Finding]:
    """The bundled campaigns over the smaller shop. Only told: what to measure it against comes later."""
    folder = bench.folder / "sending"
    shutil.copytree(bench.shop(bench.small), folder, dirs_exist_ok=True)
    project = Project(folder, VirtualClock(NOW))
    parts = {name: Stopwatch() for name in ("planning", "writing", "the folder")}
    whole = Stopwatch()
    delivered = whole.around(_tick)(project, parts)
    project.close()
    yield Finding(
        "plan, write and deliver", delivered.accepted / whole.seconds, "mails/s", note=str(delivered)
    )
    outbox = whole.seconds - sum(part.seconds for part in parts.values())
    for name, seconds in {
        **{name: part.seconds for name, part in parts.items()},
        "the outbox": outbox,
    }.items():
        yield Finding(f"of it, {name}", 100 * seconds / whole.seconds, "%")


def _tick(project: Project, parts: dict[str, Stopwatch]) -> Delivered:
    """What `run --once` does, with a stopwatch around each part."""
    studio, transport = project.studio, FolderTransport(project.settings, project.folder)
    studio.compose = parts["writing"].around(studio.compose)
    transport.send = parts["the folder"].around(transport.send)
    transport.flush = parts["the folder"].around(transport.flush)
    parts["planning"].around(plan_now)(project, NOW, partial(be_the_planner, owner="benchmarks"))
    way = Way(project.store, studio, transport, project.settings, "benchmarks", lambda _: None)
    return deliver(way, NOW)
