"""Plans, while this daemon has the lead; stands by while another one has it."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import chain, repeat

from engine.app.failures import end_all
from engine.app.presence import leave, show
from engine.app.running import Turn, plan_now
from engine.daemon.logs import tell, warn
from engine.daemon.post import Post
from engine.errors import NotAdopted, StoreError
from engine.planning.leadership import (
    Lead,
    LeadLost,
    give_up_lead,
    keep_lead,
    leader,
    lengthen_lead,
    take_lead,
)
from engine.planning.readout import Count
from engine.planning.reasons import Verdict


class Planner:
    """The jobs `lead` and `plan`; they share one thread, so that they never meet."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._term = post.project.settings.run.lead
        self._lead: Lead | None = None
        self._stands_by_for = ""
        self._told: tuple[int, dict[str, int]] | None = None

    def leads(self) -> bool:
        return self._lead is not None

    def lead(self) -> None:
        """Show that we are there, and take the lead or keep it."""
        before = self._lead
        with self._post.project.store.writing() as connection:
            show(connection, self._post.owner, self._term)
            self._lead = take_lead(connection, self._post.owner, self._term)
            other = "" if self._lead else leader(connection)
        self._tell(before, other)
        if self._lead is not None and self._lead != before:
            self._post.wake("plan")

    def plan(self) -> None:
        """Decide about everything that is due, and write it down."""
        if self._lead is None:
            return
        project, started = self._post.project, time.monotonic()
        project.guard.check()
        now = project.clock.now()
        try:
            counts, planned = plan_now(project, now, self._turn(self._lead))
        except LeadLost:
            warn("lead lost", epoch=self._lead.epoch)
            self._lead = None
            self._post.wake("lead")
            return
        self._tell_plan(now, counts, planned, time.monotonic() - started)
        if planned:
            self._post.wake("deliver")

    def leave(self) -> None:
        """Let another one take over at once. Where that cannot be written, the lease runs out."""
        try:
            self._give_up()
        except (StoreError, NotAdopted) as error:
            warn("left without a word", error=str(error))
        self._lead = None

    def _give_up(self) -> None:
        now = self._post.project.clock.now()
        with self._post.project.store.writing() as connection:
            leave(connection, self._post.owner)
            end_all(connection, self._post.owner, now)
            if self._lead is not None:
                give_up_lead(connection, self._lead)

    def _turn(self, lead: Lead) -> Turn:
        """Keeps the lead at the beginning of a plan, and lengthens it at its end."""
        ways = chain([keep_lead], repeat(lengthen_lead))
        return lambda connection: next(ways)(connection, lead, self._term)

    def _tell_plan(self, now: datetime, counts: Sequence[Count], planned: int, seconds: float) -> None:
        """A plan that is like the one before is not worth a line."""
        verdicts = Counter[str]()
        for count in counts:
            if count.verdict != Verdict.SEND:  # these are mails, or wait to leave since an earlier plan
                verdicts[count.verdict] += count.people
        told = (planned, dict(verdicts))
        if told != self._told:
            tell("planned", now=now, mails=planned, **verdicts, seconds=round(seconds, 3))
        self._told = told

    def _tell(self, before: Lead | None, other: str) -> None:
        if self._lead is not None and self._lead != before:
            tell("leads", epoch=self._lead.epoch)
        if other and other != self._stands_by_for:
            tell("stands by", leader=other)
        self._stands_by_for = other
