"""Once a day, removes what was kept long enough; only the leader does."""

from engine.app.sweeping import sweep
from engine.daemon.logs import tell
from engine.daemon.planner import Planner
from engine.daemon.post import Post


class Sweeper:
    """The job `sweep`."""

    def __init__(self, post: Post, planner: Planner) -> None:
        self._post, self._planner = post, planner

    def sweep(self) -> None:
        if self._planner.leads():
            project = self._post.project
            swept = sweep(project, project.clock.now())
            if swept.rejects or swept.mails or swept.events:
                tell("swept", rejects=swept.rejects, mails=swept.mails, events=swept.events)
