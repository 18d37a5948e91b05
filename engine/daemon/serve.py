"""The life of a daemon: it begins, works until it is told to stop, and ends within its time."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Thread
from types import FrameType
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.background import BackgroundScheduler

from engine.app.project import Project
from engine.daemon.jobs import Crew, executors, jobs
from engine.daemon.logs import set_up, tell, warn
from engine.daemon.planner import Planner
from engine.daemon.post import Post
from engine.daemon.steady import Busy, Steady
from engine.daemon.wall import Wall

FINE, UNFINISHED = 0, 1
LEAVES = 2.0  # seconds that a farewell may take
LOOKS = 5.0  # seconds between two looks at the clock on the wall
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(project: Project) -> int:
    """Plan and deliver until SIGTERM or SIGINT; the exit code. Raises what makes going on impossible."""
    set_up(project.settings.run.log)
    project.say = lambda what: tell("waits", what=what)
    project.guard.check()
    post, busy = Post(project), Busy()
    crew = Crew(post)
    scheduler, wall = _scheduled(crew, post, busy), Wall()
    with told_to_stop(post), _open_to_the_web(project):
        tell("started", owner=post.owner, campaigns=len(project.book.campaigns))
        scheduler.start()
        while not post.stopping.wait(LOOKS):
            _mind_the_clock(scheduler, wall)
        tell("stopping")
        left = _finish(scheduler, busy, project.settings.run.stop_within.total_seconds())
    if left:
        _break_off(left, crew.planner)
    crew.leave()
    if post.trouble:
        raise post.trouble
    tell("stopped")
    return FINE


def _scheduled(crew: Crew, post: Post, busy: Busy) -> Any:
    scheduler = BackgroundScheduler(executors=executors(), timezone=UTC)
    limits: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    for job in jobs(crew, post.project.settings):
        first = {"next_run_time": datetime.now(UTC)} if job.at_once else {}
        work = Steady(job.name, job.does, post, busy, job.every)
        scheduler.add_job(work, job.trigger, id=job.name, executor=job.threads, **limits, **first)
    post.wake = lambda name: _wake(scheduler, name)
    return scheduler


def _mind_the_clock(scheduler: Any, wall: Wall) -> None:
    """Begin anew with the times of all jobs, where the clock that they go by was set back."""
    if back := wall.set_back():
        warn("clock set back", by=f"{back.total_seconds():.0f}s")
        for job in scheduler.get_jobs():
            scheduler.reschedule_job(job.id, trigger=job.trigger)


@contextmanager
def _open_to_the_web(project: Project) -> Iterator[None]:
    """Answer requests meanwhile, where `web.url` is set."""
    if not project.settings.web.url:
        yield
        return
    from engine.web.server import Server  # noqa: PLC0415 - most daemons answer nobody

    server = Server(project)
    server.start()
    tell("listening", address=server.address)
    try:
        yield
    finally:
        server.stop()


def _wake(scheduler: Any, name: str) -> None:
    """Now, unless it is at work; it then begins again at its own time."""
    with suppress(SchedulerNotRunningError, JobLookupError):
        scheduler.modify_job(name, next_run_time=datetime.now(UTC))


def _finish(scheduler: Any, busy: Busy, seconds: float) -> list[str]:
    """Nothing new begins; wait for what is at work. Those jobs that did not end in time."""
    scheduler.shutdown(wait=False)
    return busy.wait(seconds)


def _break_off(left: list[str], planner: Planner) -> None:
    """End the process over jobs that do not end. A plan is undone as a whole; mails on their way are
    looked up once their lease runs out. Another daemon takes over at once, unless a plan holds the lead."""
    sending = "deliver" in left
    warn("broken off", jobs=" ".join(sorted(left)), mails_under_way=sending)
    if not {"lead", "plan"} & {*left}:
        leaving = Thread(target=planner.leave, daemon=True)
        leaving.start()
        leaving.join(LEAVES)
    sys.stderr.flush()
    os._exit(UNFINISHED if sending else FINE)


@contextmanager
def told_to_stop(post: Post) -> Iterator[None]:
    """The first signal asks for an end; the second one ends at once.

    The system may hand a signal to any thread, and Python minds it in the main one: the pipe wakes that.
    """

    def heard(number: int, _: FrameType | None) -> None:
        if post.stopping.said():
            os._exit(128 + number)
        post.stopping.say()

    before = {each: signal.signal(each, heard) for each in STOP_SIGNALS}
    woken = signal.set_wakeup_fd(post.stopping.mouth, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        for each, handler in before.items():
            signal.signal(each, handler)
