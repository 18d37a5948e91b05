"""Compares our list of suppressed addresses with those of SendGrid, once a day; only the leader does."""

from engine.app.agreeing import Agreed, How, agree
from engine.daemon.logs import tell
from engine.daemon.planner import Planner
from engine.daemon.post import Post, Stopped


class Lists:
    """The job `suppressions`."""

    def __init__(self, post: Post, planner: Planner) -> None:
        self._post, self._planner = post, planner

    def compare(self) -> None:
        if not self._planner.leads():
            return
        project = self._post.project
        try:
            _tell(agree(project, project.clock.now(), How(), self._post.stopping.rest))
        except Stopped:
            tell("suppressions", broken_off=True)


def _tell(found: Agreed) -> None:
    put, refused = sum(each.put for each in found.put), sum(each.refused for each in found.put)
    missing = sum(each.missing for each in found.put) - put - refused
    tell("suppressions", new=found.new, put=put, refused=refused, missing=missing, lifted=found.lifted)
