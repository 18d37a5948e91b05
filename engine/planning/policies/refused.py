"""What somebody refused in the front end is not offered again at once in the back end."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, exists, func, select, type_coerce

from engine.clock import to_micros
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.conditions.offered import REFUSED
from engine.rules.model import Scope
from engine.store.tables import funnel_events
from engine.store.types import Instant


def refused_lately(desk: Desk, _: Book, scope: Scope) -> ColumnElement[bool]:
    """At the very end of the time the mail may go."""
    since = to_micros(scope.now) - _again_after(desk)
    return exists().where(*_refusal(desk, scope), type_coerce(funnel_events.c.at, BigInteger) > since)


def _may_be_offered(desk: Desk, _: Book, scope: Scope) -> list[ColumnElement[Any]]:
    last = select(func.max(type_coerce(funnel_events.c.at, BigInteger))).where(*_refusal(desk, scope))
    return [type_coerce(last.correlate(desk.runs).scalar_subquery() + _again_after(desk), Instant)]


def _refusal(desk: Desk, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    event, offer = funnel_events.c, desk.offers.c
    return (
        offer.campaign_id == desk.runs.c.campaign_id,
        event.customer_id == desk.runs.c.customer_id,
        event.what == REFUSED,
        event.sku == offer.sku,
        event.at <= scope.now,
    )


def _again_after(desk: Desk) -> ColumnElement[int]:
    campaign = desk.campaigns
    asked = select(campaign.c.offers_again_after).where(campaign.c.campaign_id == desk.runs.c.campaign_id)
    return asked.correlate(desk.runs).scalar_subquery()


REFUSED_LATELY = Policy(
    Reason.REFUSED_LATELY, Verdict.HOLD, refused_lately, back_end_only=True, until=_may_be_offered
)
