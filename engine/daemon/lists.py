"""Compares our list of suppressed addresses with those of SendGrid, once a day; only the leader does."""

import time

from engine.app.agreeing import Agreed, How, agree
from engine.daemon.logs import tell
from engine.daemon.planner import Planner
from engine.daemon.post import Post

LOOKS_UP = 0.5  # seconds after which who waits looks whether to stop


class Stopped(Exception):
    """The daemon ends; the next one goes on with it."""


class Lists:
    """The job `suppressions`."""

    def __init__(self, post: Post, planner: Planner) -> None:
        self._post, self._planner = post, planner

    def compare(self) -> None:
        if not self._planner.leads():
            return
        project = self._post.project
        try:
            _tell(agree(project, project.clock.now(), How(), self._wait))
        except Stopped:
            tell("suppressions", broken_off=True)

    def _wait(self, seconds: float) -> None:
        """Raises Stopped."""
        end = time.monotonic() + seconds
        while not self._post.stopping.said() and time.monotonic() < end:
            time.sleep(max(min(LOOKS_UP, end - time.monotonic()), 0))
        if self._post.stopping.said():
            raise Stopped


def _tell(found: Agreed) -> None:
    put, refused = sum(each.put for each in found.put), sum(each.refused for each in found.put)
    missing = sum(each.missing for each in found.put) - put - refused
    tell("suppressions", new=found.new, put=put, refused=refused, missing=missing, lifted=found.lifted)
