"""Nobody is offered what they own."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.rules.standing import known, runs
from engine.store.tables import order_lines, subscriptions

Asked = Callable[[ColumnElement[str]], ColumnElement[bool]]  # of a sku: SQL that says whether it is offered


def owns_offer(desk: Desk, _: Book, scope: Scope) -> ColumnElement[bool]:
    def offered(sku: ColumnElement[str]) -> ColumnElement[bool]:
        return and_(desk.offers.c.campaign_id == desk.runs.c.campaign_id, desk.offers.c.sku == sku)

    return owns(desk.runs.c.customer_id, offered, scope.now)


def owns(
    customer_id: ColumnElement[int], offered: Asked, now: datetime | ColumnElement[Any]
) -> ColumnElement[bool]:
    """SQL: that customer owns what is offered.

    A subscription is owned while it runs; where none is known of, the purchase decides.
    """
    subscribed = exists().where(
        subscriptions.c.customer_id == customer_id, offered(subscriptions.c.sku), runs(subscriptions, now)
    )
    line = order_lines.c
    bought = exists().where(
        *(line.customer_id == customer_id, offered(line.sku), line.at <= now),
        or_(line.refunded_at.is_(None), line.refunded_at > now),
        ~known(line.customer_id, line.sku, now),
    )
    return or_(subscribed, bought)


OFFERS = Policy(Reason.OWNS_OFFER, Verdict.SKIP, owns_offer)
