"""What becomes of an error in a job: it is told once and kept, the job rests a while, the daemon goes on."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Condition

from engine.daemon.logs import nameless, tell, warn, where
from engine.daemon.post import Post
from engine.daemon.record import Record
from engine.errors import AftersaleError, NotAdopted, StoreError

SECOND = timedelta(seconds=1)
LONGEST_REST = 300  # seconds


class Busy:
    """Counts the jobs at work, so that an end can wait for them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._at_work: list[str] = []

    def begin(self, name: str) -> None:
        with self._changed:
            self._at_work.append(name)

    def end(self, name: str) -> None:
        with self._changed:
            self._at_work.remove(name)
            self._changed.notify_all()

    def wait(self, seconds: float) -> list[str]:
        """Until none is at work, or so long; those that still are."""
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work, timeout=seconds)
            return list(self._at_work)


class Steady:
    """One job, made safe to be started again and again."""

    def __init__(
        self, name: str, job: Callable[[], None], post: Post, busy: Busy, every: timedelta | None = SECOND
    ) -> None:
        self._name, self._job, self._every = name, job, every
        self._post, self._busy = post, busy
        self._record = Record(name, post)
        self._told = ""
        self._failures = 0
        self._rest_until = 0.0

    def __call__(self) -> None:
        self._busy.begin(self._name)  # before the look at `stopping`: who waits for the end sees this one
        try:
            if not self._post.stopping.said() and time.monotonic() >= self._rest_until:
                self._work()
        finally:
            self._busy.end(self._name)

    def _work(self) -> None:
        try:
            self._job()
        except NotAdopted as error:
            self._post.end(error)
        except AftersaleError as error:
            self._rest(nameless(str(error)), of_database=isinstance(error, StoreError))
        except Exception as error:  # noqa: BLE001 - whatever it is, mails of tomorrow still want to be sent
            self._rest(where(error))
        else:
            if self._told:
                tell("works again", job=self._name)
            self._told, self._failures = "", 0
            self._record.works()

    def _again_in(self, rest: float) -> str | None:
        """Not before its own time; one of every night waits for the next."""
        return f"{max(rest, self._every.total_seconds()):g}s" if self._every else None

    def _rest(self, what: str, *, of_database: bool = False) -> None:
        self._failures += 1
        rest = min(2**self._failures, LONGEST_REST)
        self._rest_until = time.monotonic() + rest
        if what != self._told:
            warn("failed", job=self._name, error=what, again_in=self._again_in(rest))
        self._told = what
        self._record.failed(what, of_database=of_database)
