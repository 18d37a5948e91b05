"""Looks for mails of unknown fate at their provider, where the settings say how; only the leader does.

Events tell of most mails within minutes, so the first look is late, and each further one as much later as
the mail is old. After a month nobody stores it any more.
"""

from datetime import datetime, timedelta

from engine.app.looking_up import look_up, unknown
from engine.daemon.logs import tell
from engine.daemon.planner import Planner
from engine.daemon.post import Post, Stopped
from engine.delivery.rows import Attempt

FIRST, LAST = timedelta(minutes=5), timedelta(days=30)


class Finder:
    """The job `look up`."""

    def __init__(self, post: Post, planner: Planner) -> None:
        self._post, self._planner = post, planner
        self._looked: dict[Attempt, datetime] = {}  # when last; a new daemon begins anew

    def look(self) -> None:
        if not self._planner.leads():
            return
        if not (due := self._due()):
            return
        try:
            done = look_up(self._post.project, due, self._post.stopping.rest, self._note)
        except Stopped:
            return
        tell("looked up", **done.as_json())

    def _note(self, attempt: Attempt) -> None:
        """Raises Stopped where the daemon is to end."""
        self._looked[attempt] = self._post.project.clock.now()
        self._post.stopping.rest(0)

    def _due(self) -> list[Attempt]:
        now, wanted = self._post.project.clock.now(), unknown(self._post.project)
        self._looked = {attempt: at for attempt, at in self._looked.items() if attempt in wanted}
        return [attempt for attempt, mail in wanted.items() if self._is_due(attempt, mail.at, now)]

    def _is_due(self, attempt: Attempt, since: datetime, now: datetime) -> bool:
        last = self._looked.get(attempt)
        age = now - since
        return FIRST <= age <= LAST and (last is None or age >= 2 * (last - since))
