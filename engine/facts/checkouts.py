"""Checkouts that are open until a paid order of them, or until they are given up.

The funnel tells that one was started, and so does an order that is not paid yet.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_

from engine.clock import MICROSECOND
from engine.store.tables import funnel_events, orders

STARTED = "checkout_started"  # what the funnel tells
Instants = datetime | ColumnElement[Any]


def not_given_up(expires: timedelta) -> timedelta:
    """How old a start may be at most, and still be open."""
    return expires - MICROSECOND


def open_checkout(since: Instants, now: Instants) -> tuple[ColumnElement[bool], ...]:
    """SQL over the facts of the funnel: a checkout that was started, and is neither ordered nor given up.

    Those that were started before `since` are given up by now. A start that names no checkout is settled by
    any paid order that is not before it.
    """
    event = funnel_events.c
    return event.what == STARTED, event.at.between(since, now), ~_ordered(funnel_events, now)


def unpaid_order(since: Instants, now: Instants) -> tuple[ColumnElement[bool], ...]:
    """SQL over orders: one that is not paid, which is a checkout that was started when it was placed."""
    return ~orders.c.paid, orders.c.at.between(since, now), ~_ordered(orders, now)


def _ordered(started: FromClause, now: Instants) -> ColumnElement[bool]:
    begun, paid = started.c, orders.alias("paid_for")
    settled = exists().where(
        paid.c.customer_id == begun.customer_id,
        paid.c.paid,
        paid.c.at <= now,
        or_(
            and_(begun.checkout_id != "", paid.c.checkout_id == begun.checkout_id),
            and_(begun.checkout_id == "", paid.c.at >= begun.at),
        ),
    )
    return settled.correlate(started)
