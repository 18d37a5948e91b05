"""Nobody is offered what they own."""

from sqlalchemy import ColumnElement, exists, or_

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.rules.standing import known, runs
from engine.store.tables import order_lines, subscriptions


def owns_offer(desk: Desk, _: Book, scope: Scope) -> ColumnElement[bool]:
    """A subscription is owned while it runs; where none is known of, the purchase decides."""
    offered = desk.offers.c.campaign_id == desk.runs.c.campaign_id
    subscribed = exists().where(
        offered,
        subscriptions.c.customer_id == desk.runs.c.customer_id,
        subscriptions.c.sku == desk.offers.c.sku,
        runs(subscriptions, scope.now),
    )
    bought = exists().where(
        offered,
        order_lines.c.customer_id == desk.runs.c.customer_id,
        order_lines.c.sku == desk.offers.c.sku,
        order_lines.c.at <= scope.now,
        or_(order_lines.c.refunded_at.is_(None), order_lines.c.refunded_at > scope.now),
        ~known(order_lines.c.customer_id, order_lines.c.sku, scope.now),
    )
    return or_(subscribed, bought)


OFFERS = Policy(Reason.OWNS_OFFER, Verdict.SKIP, owns_offer)
