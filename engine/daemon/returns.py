"""Reads what came back to the folder that the settings name; only the leader does. `listen` takes it up."""

from collections import Counter

from engine.app.bouncing import bounces_folder, take_bounces
from engine.daemon.logs import tell
from engine.daemon.planner import Planner
from engine.daemon.post import Post


class Returns:
    """The job `bounces`."""

    def __init__(self, post: Post, planner: Planner) -> None:
        self._post, self._planner = post, planner

    def read(self) -> None:
        """Numbers only: a file's name and its words are chosen by whoever wrote the mail."""
        if not self._planner.leads():
            return
        project = self._post.project
        found: Counter[str] = Counter()
        for each in take_bounces(project, bounces_folder(project, None), project.clock.now()):
            found.update(["parked"] if each.parked else [kind.value for kind in each.kinds])
        if found:
            tell("bounces", **found)
