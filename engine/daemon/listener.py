"""Takes up what was told of mails that have left, and facts that others told; only the leader does."""

from engine.app.hearing import take_up
from engine.daemon.logs import tell, warn
from engine.daemon.planner import Planner
from engine.daemon.post import Post
from engine.facts.receiving.draining import Drained
from engine.facts.receiving.looking_back import silent


def tell_of_files(drained: Drained) -> None:
    """What is wrong with what was spooled."""
    if drained.torn:
        warn("torn lines dropped", lines=drained.torn, hint="they were never acknowledged")
    if drained.unread:
        warn("spool not read", files=drained.unread, hint="see aftersale doctor")


class Listener:
    """The jobs `listen` and `notice`."""

    def __init__(self, post: Post, planner: Planner) -> None:
        self._post, self._planner = post, planner

    def listen(self) -> None:
        if not self._planner.leads():
            return
        project = self._post.project
        heard = take_up(project, project.clock.now(), self._post.stopping.said)
        tell_of_files(heard.drained)
        if heard.made:
            tell("events", **heard.made.as_json())
        if heard.received:
            tell("facts received", **heard.received.as_json())
        if heard.parked:
            warn("events parked", events=heard.parked, hint="see aftersale events")
        for fuse in heard.paused:
            warn("paused", campaign=fuse.campaign_id, why=fuse.why)

    def notice(self) -> None:
        """Once a day, who told something before and is silent now: a hook may have been turned off."""
        if not self._planner.leads():
            return
        project = self._post.project
        with project.store.reading() as connection:
            found = silent(connection, project.settings, project.clock.now())
        for each in found:
            hint = "look there whether it still posts"
            warn("source silent", source=each.source, since=each.last_at, hint=hint)
