"""Sends what is due, in a thread of its own, and looks up what an earlier run left."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from engine.app.project import Project
from engine.app.running import way_out
from engine.audience.looks import last_at
from engine.daemon.logs import tell
from engine.daemon.post import Post
from engine.delivery.deliver import Way, clear_up
from engine.delivery.states import Status
from engine.delivery.throttle import interval
from engine.store.tables import looks

LONGEST = 60.0  # seconds; then a later plan may have decided otherwise
TELLS = 60.0  # seconds
LATELY = 10  # plans that may have failed before sending stops


class Sender:
    """The jobs `deliver` and `reconcile`."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._transport = post.project.transport()
        self._ended: Counter[Status] = Counter()
        self._told_at = float("-inf")

    def deliver(self) -> None:
        """Send what the last plan decided, until nothing is left or as much as the rate allows.

        What has become due since waits for the next plan, which decides it anew: nothing leaves on the
        word of days ago.
        """
        project = self._post.project
        planned = self._last_plan(project)
        if planned is None or not self._is_of_now(project, planned):
            return
        rounds = self._way(project).rounds(planned, self._until(project))
        try:
            rounds.go()
        finally:
            self._ended.update(rounds.ended)
            if interval(project.settings.delivery) is None or time.monotonic() >= self._told_at + TELLS:
                self._tell()

    @staticmethod
    def _is_of_now(project: Project, planned: datetime) -> bool:
        """Neither long ago, nor yet to come since the clock was set back."""
        now = project.clock.now()
        return now - LATELY * project.settings.run.every <= planned <= now

    def reconcile(self) -> None:
        """See to what an earlier run left on its way."""
        project = self._post.project
        found = clear_up(project.store, self._transport, project.clock.now(), _say)
        if found:
            tell("found", mails=found)

    def close(self) -> None:
        self._tell()
        self._transport.close()

    def _tell(self) -> None:
        """What became of mails since it was last told; not every second where a rate spreads them."""
        if ended := {status.value: number for status, number in self._ended.items() if number}:
            tell("delivered", **ended)
            self._told_at = time.monotonic()
        self._ended.clear()

    @staticmethod
    def _last_plan(project: Project) -> datetime | None:
        with project.store.reading() as connection:
            return last_at(connection, looks)

    def _way(self, project: Project) -> Way:
        return way_out(project, self._transport, self._post.owner, _say)

    def _until(self, project: Project) -> Callable[[], bool]:
        """Over when the daemon stops, when files have changed, and after a while."""
        post, end = self._post, time.monotonic() + LONGEST
        return lambda: post.stopping.said() or post.project is not project or time.monotonic() > end


def _say(what: str) -> None:
    tell("sender says", what=what)
