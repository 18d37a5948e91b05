"""When a mail that is held may go at the soonest, and when it is given up: for one customer."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, literal, or_, select

from engine.planning.arbitration import counts, spans
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies import LIMITS, POLICIES
from engine.planning.policies.base import Span
from engine.planning.readout import RunAnswer
from engine.planning.reasons import Reason, Verdict
from engine.planning.slots import slot_at, takes_slot
from engine.planning.state import State
from engine.rules.model import Scope
from engine.store.types import Instant

_COUNTED = {limit.reason for limit in LIMITS}
_AS_SOON_AS = {  # what no clock can tell
    Reason.CLAIM_UNPROVEN: "a fact proves it",
    Reason.ANOTHER_OFFER: "that campaign's run is over",
}


@dataclass(frozen=True)
class Outlook:
    """Until when a mail is held, if nothing else happens, and when it is given up; None: nobody can say."""

    until: datetime | None
    given_up: datetime | None
    as_soon_as: str = ""

    def __str__(self) -> str:
        held = f"until {self.until:%Y-%m-%d %H:%M}Z" if self.until else ""
        held = held or (f"until {self.as_soon_as}" if self.as_soon_as else "")
        given_up = f"given up {self.given_up:%Y-%m-%d %H:%M}Z" if self.given_up else ""
        return "; ".join(filter(None, (held, given_up)))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Lookout:
    """What the outlook of one customer's held runs is read from."""

    connection: Connection
    book: Book
    state: State
    desk: Desk
    scope: Scope
    customer_id: int

    def of(self, answer: RunAnswer) -> Outlook | None:
        """None for what is not held."""
        if answer.verdict != Verdict.HOLD:
            return None
        reason = Reason(answer.reason)
        until = max([*self._by_facts(reason, answer), *self._by_slots(reason, answer)], default=None)
        return Outlook(until, self._given_up(answer), _AS_SOON_AS.get(reason, ""))

    def _by_facts(self, reason: Reason, answer: RunAnswer) -> Iterator[datetime]:
        for policy in POLICIES:
            if policy.reason is reason:
                for instant in policy.until(self.desk, self.book, self.scope):
                    at = self.connection.scalar(select(instant).where(self._run(answer)))
                    yield from (at,) if at is not None else ()

    def _by_slots(self, reason: Reason, answer: RunAnswer) -> Iterator[datetime]:
        """Every span that is full has to get room."""
        campaign = self.book.files.campaign(answer.campaign)
        counted = spans(self.book.settings) if reason in _COUNTED else ()
        for each in (span for _, span in counted if campaign and span.binds(campaign.track, campaign.topic)):
            taken = sorted(self._slots(each), reverse=True)
            if len(taken) >= each.most:
                yield taken[each.most - 1] + each.per

    def _slots(self, each: Span) -> list[datetime]:
        """The instants of the mails that count, this plan's included."""
        mail, runs, campaign = self.state.messages, self.desk.runs, self.desk.campaigns
        at = slot_at(mail)
        before = select(at).where(
            mail.c.customer_id == self.customer_id,
            takes_slot(mail, self.scope.now),
            at > self.scope.now - each.per,
            counts(mail, each),
        )
        goes = or_(runs.c.verdict == Verdict.SEND.value, runs.c.reason == Reason.HELD_OUT.value)
        now = (
            select(literal(self.scope.now, Instant))
            .select_from(runs.join(campaign, campaign.c.campaign_id == runs.c.campaign_id))
            .where(runs.c.customer_id == self.customer_id, goes, counts(campaign, each))
        )
        return [*self.connection.scalars(before), *self.connection.scalars(now)]

    def _given_up(self, answer: RunAnswer) -> datetime | None:
        runs, step = self.desk.runs, self.desk.steps
        same = and_(step.c.campaign_id == runs.c.campaign_id, step.c.step_id == runs.c.step_id)
        row = self.connection.execute(
            select(runs.c.again, runs.c.planned_at, runs.c.due_at, step.c.hold_at_most)
            .join(step, same)
            .where(self._run(answer))
        ).one()
        since = row.planned_at if row.again else row.due_at
        return None if row.hold_at_most is None else since + timedelta(microseconds=row.hold_at_most)

    def _run(self, answer: RunAnswer) -> ColumnElement[bool]:
        runs = self.desk.runs.c
        named: dict[Any, object] = {
            runs.customer_id: self.customer_id,
            runs.campaign_id: answer.campaign,
            runs.step_id: answer.step,
            runs.spell: answer.spell,
        }
        return and_(*(column == value for column, value in named.items()))
