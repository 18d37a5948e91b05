"""Checkouts that were started, and are open until an order of them, or until they are given up."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_

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
    event, order = funnel_events.c, orders.c
    ordered = exists().where(
        order.customer_id == event.customer_id,
        order.paid,
        order.at <= now,
        or_(
            and_(event.checkout_id != "", order.checkout_id == event.checkout_id),
            and_(event.checkout_id == "", order.at >= event.at),
        ),
    )
    return (
        event.what == STARTED,
        event.at.between(since, now),
        ~ordered.correlate(funnel_events),
    )
