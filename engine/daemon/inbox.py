"""Imports what is put into the folder that the settings name; only the leader does."""

from engine.app.watching import Seen, Taken, files_in, take, watched
from engine.daemon.logs import tell, warn
from engine.daemon.planner import Planner
from engine.daemon.post import Post


class Inbox:
    """The job `watch`: a file is taken when two looks found it the same."""

    def __init__(self, post: Post, planner: Planner) -> None:
        self._post, self._planner = post, planner
        self._before: Seen = {}

    def watch(self) -> None:
        if not self._planner.leads():
            self._before = {}
            return
        project = self._post.project
        folder = watched(project, None)
        for each in take(project, folder, self._before):
            _tell(each)
        self._before = files_in(folder)


def _tell(taken: Taken) -> None:
    """Numbers only: what a file says of people is told in its rejects, not in a log."""
    if taken.again:
        hint = "it is imported again; let it be written as .part, and renamed when it is whole"
        warn("file went on", file=taken.file, hint=hint)
    if taken.summary is None:
        warn("import failed", file=taken.file, now_in=taken.now_at.parent.name)
        return
    told = ("read", "inserted", "updated", "unchanged", "skipped", "rejected")
    say = tell if taken.summary.read else warn  # nothing in it: it may have been put there too early
    say("imported", file=taken.file, kind=taken.summary.kind, **{n: getattr(taken.summary, n) for n in told})
