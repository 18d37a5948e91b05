"""What an order that came since the plan stands against, asked once more as mails leave.

It may have opened a transaction, closed one, or hold what the mail offers.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, false, select, tuple_

from engine.campaigns.model import BACK_END, FRONT_END
from engine.clock import EPOCH
from engine.delivery.outbox import Outcome
from engine.delivery.rows import ATTEMPT, Attempt, attempts
from engine.delivery.states import Status
from engine.planning.inside import closed
from engine.planning.policies.offers import owns
from engine.planning.policies.transaction import keeps_quiet
from engine.planning.reasons import Reason
from engine.rules.model import Hand, Scope
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.tables import enrollments, messages

SOON = timedelta(minutes=1)  # then a plan decides anew; before that nobody takes the mail up


@dataclass(frozen=True)
class Line:
    """Whose mails would cross it by now. A delivery may last, so it has a clock of its own.

    `offers` are the products that each campaign offers.
    """

    store: Store
    settings: Settings
    clock: Callable[[], datetime]
    offers: Mapping[str, Sequence[str]]

    def crossed_by(self, mails: Collection[Attempt]) -> dict[Attempt, Outcome]:
        """Those of the mails that go back, for a plan to decide anew."""
        hand, asked = self._question
        hand.now = now = self.clock()
        ids = [attempt.key.message_id for attempt in mails]
        with self.store.reading() as connection:
            rows = connection.execute(asked, {"ids": ids}).all()
        back = [_later(f"not sent: {row.why}", now + SOON) for row in rows]
        return dict(zip(attempts(row[1:] for row in rows), back, strict=True))

    @cached_property
    def _question(self) -> tuple[Hand, Select[Any]]:
        """Made once, and asked at the instant where its hand stands."""
        hand = Hand(EPOCH, EPOCH)
        scope = Scope(EPOCH, hand=hand)
        stands = {
            Reason.OPEN_TRANSACTION: and_(messages.c.track == BACK_END, self._disturbs(scope)),
            Reason.TRANSACTION_CLOSED: and_(messages.c.track == FRONT_END, _is_late(scope)),
            Reason.OWNS_OFFER: owns(messages.c.customer_id, self._offered, scope.moment()),
        }
        why = case(*((against, str(reason)) for reason, against in stands.items()), else_=None)
        ids = messages.c.message_id.in_(bindparam("ids", expanding=True))
        judged = select(why.label("why"), *ATTEMPT).where(ids).subquery()
        return hand, select(judged).where(judged.c.why.is_not(None))

    def _offered(self, sku: ColumnElement[str]) -> ColumnElement[bool]:
        """SQL: the campaign of the mail offers that product."""
        pairs = [(campaign, each) for campaign, skus in self.offers.items() for each in skus]
        return tuple_(messages.c.campaign_id, sku).in_(pairs) if pairs else false()

    def _disturbs(self, scope: Scope) -> ColumnElement[bool]:
        """SQL: as the plan asks it of a run. What is owed disturbs nobody."""
        return and_(messages.c.topic != "", keeps_quiet(messages.c.customer_id, self.settings, scope))


def _later(why: str, when: datetime) -> Outcome:
    return Outcome(Status.SCHEDULED, why, due_at=when, in_vain=False)


def _is_late(scope: Scope) -> ColumnElement[bool]:
    run = enrollments
    same = (run.c[name] == messages.c[name] for name in ("customer_id", "campaign_id", "spell"))
    return exists().where(*same, closed(run, scope.moment()))
