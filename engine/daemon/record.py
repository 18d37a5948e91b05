"""What one job's failures leave in the database, where `status` and `doctor` read them.

It is written when the job begins to fail, fails for another reason, and works again. Where the database is
what fails, or cannot be written, that is made up for when the job works again.
"""

import time
from contextlib import suppress
from datetime import datetime, timedelta

from engine.app.failures import Failure, keep
from engine.daemon.post import Post

SHORT = 60.0  # seconds; a database that was held by another for less is worth no word the day after
SOON = 600.0  # what fails again by then had not really worked in between


class Record:
    """The failures of one job of this daemon, by the stopwatch until the database can tell the time."""

    def __init__(self, job: str, post: Post) -> None:
        self._job, self._post = job, post
        self._why = ""  # the last one, until it is known to be written that the job works again
        self._begun = self._over = float("-inf")
        self._since: datetime | None = None  # as it is written
        self._written = ""

    def failed(self, why: str, *, of_database: bool) -> None:
        """It failed, perhaps once more."""
        moment = time.monotonic()
        if not self._why and moment > self._over + SOON:
            self._begun, self._since = moment, None
        self._why = why
        if not of_database and why != self._written:
            self._write(over=False)

    def works(self) -> None:
        """It works, perhaps again."""
        if not self._why:
            return
        if self._since is None and time.monotonic() < self._begun + SHORT:
            self._why = ""
        else:
            self._write(over=True)

    def _write(self, *, over: bool) -> None:
        """As far as the database takes it: a job's failure must not become another one."""
        project = self._post.project
        with suppress(Exception):
            now = project.clock.now()
            since = self._since or now - timedelta(seconds=time.monotonic() - self._begun)
            told = Failure(self._post.owner, self._job, since, now if over else None, self._why)
            with project.store.writing() as connection:
                keep(connection, told, now)
            self._since, self._written = since, "" if over else self._why
            if over:
                self._why, self._over = "", time.monotonic()
