"""Who has just bought is left in peace for a while, as long as the campaign or the settings say."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, exists, func, select, type_coerce

from engine.clock import to_micros
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.store.tables import orders
from engine.store.types import Instant


def just_bought(desk: Desk, _: Book, scope: Scope) -> ColumnElement[bool]:
    """A paid order above zero counts, whatever was refunded since; at the very end the mail may go."""
    since = to_micros(scope.now) - _cool_down(desk)
    return exists().where(_purchase(desk, scope), type_coerce(orders.c.at, BigInteger) > since)


def _cooled_down(desk: Desk, _: Book, scope: Scope) -> list[ColumnElement[Any]]:
    last = select(func.max(type_coerce(orders.c.at, BigInteger))).where(_purchase(desk, scope))
    return [type_coerce(last.correlate(desk.runs).scalar_subquery() + _cool_down(desk), Instant)]


def _purchase(desk: Desk, scope: Scope) -> ColumnElement[bool]:
    theirs = orders.c.customer_id == desk.runs.c.customer_id
    return theirs & orders.c.paid & (orders.c.amount > 0) & (orders.c.at <= scope.now)


def _cool_down(desk: Desk) -> ColumnElement[int]:
    campaign = desk.campaigns
    asked = select(campaign.c.cool_down).where(campaign.c.campaign_id == desk.runs.c.campaign_id)
    return asked.correlate(desk.runs).scalar_subquery()


COOL_DOWN = Policy(Reason.COOL_DOWN, Verdict.HOLD, just_bought, back_end_only=True, until=_cooled_down)
