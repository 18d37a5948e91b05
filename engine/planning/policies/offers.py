"""Nobody is offered what they own."""

from sqlalchemy import ColumnElement, exists, or_

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.store.tables import order_lines


def owns_offer(desk: Desk, _: Book, scope: Scope) -> ColumnElement[bool]:
    return exists().where(
        desk.offers.c.campaign_id == desk.runs.c.campaign_id,
        order_lines.c.customer_id == desk.runs.c.customer_id,
        order_lines.c.sku == desk.offers.c.sku,
        order_lines.c.at <= scope.now,
        or_(order_lines.c.refunded_at.is_(None), order_lines.c.refunded_at > scope.now),
    )


OFFERS = Policy(Reason.OWNS_OFFER, Verdict.SKIP, owns_offer)
