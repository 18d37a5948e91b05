"""The line between front end and back end, asked once more as mails leave: an order may have come since."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select

from engine.campaigns.model import BACK_END, FRONT_END
from engine.clock import EPOCH
from engine.delivery.outbox import Outcome
from engine.delivery.rows import ATTEMPT, Attempt, attempts
from engine.delivery.states import Status
from engine.planning.inside import closed
from engine.planning.policies.transaction import keeps_quiet
from engine.planning.reasons import Reason
from engine.rules.model import Hand, Scope
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.tables import enrollments, messages

WHY = {BACK_END: Reason.OPEN_TRANSACTION, FRONT_END: Reason.TRANSACTION_CLOSED}
SOON = timedelta(minutes=1)  # then a plan decides anew; before that nobody takes the mail up


@dataclass(frozen=True)
class Line:
    """Whose mails would cross it by now. A delivery may last, so it has a clock of its own."""

    store: Store
    settings: Settings
    clock: Callable[[], datetime]

    def crossed_by(self, mails: Collection[Attempt]) -> dict[Attempt, Outcome]:
        """Those of the mails that go back, for a plan to decide anew."""
        hand, asked = self._question
        hand.now = now = self.clock()
        ids = [attempt.key.message_id for attempt in mails]
        with self.store.reading() as connection:
            rows = connection.execute(asked, {"ids": ids}).all()
        back = [_later(f"not sent: {WHY[row.track]}", now + SOON) for row in rows]
        return dict(zip(attempts(row[1:] for row in rows), back, strict=True))

    @cached_property
    def _question(self) -> tuple[Hand, Select[Any]]:
        """Made once, and asked at the instant where its hand stands."""
        hand = Hand(EPOCH, EPOCH)
        scope = Scope(EPOCH, hand=hand)
        crosses = (
            and_(messages.c.track == BACK_END, self._disturbs(scope)),
            and_(messages.c.track == FRONT_END, _is_late(scope)),
        )
        ids = messages.c.message_id.in_(bindparam("ids", expanding=True))
        return hand, select(messages.c.track, *ATTEMPT).where(ids, or_(*crosses))

    def _disturbs(self, scope: Scope) -> ColumnElement[bool]:
        """SQL: as the plan asks it of a run. What is owed disturbs nobody."""
        return and_(messages.c.topic != "", keeps_quiet(messages.c.customer_id, self.settings, scope))


def _later(why: str, when: datetime) -> Outcome:
    return Outcome(Status.SCHEDULED, why, due_at=when, in_vain=False)


def _is_late(scope: Scope) -> ColumnElement[bool]:
    run = enrollments
    same = (run.c[name] == messages.c[name] for name in ("customer_id", "campaign_id", "spell"))
    return exists().where(*same, closed(run, scope.moment()))
