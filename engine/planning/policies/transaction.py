"""The back end keeps quiet while a transaction or checkout is open, and for a while after a transaction."""

from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, exists, func, or_, select, type_coerce

from engine.clock import MICROSECOND, span
from engine.facts.checkouts import not_given_up, open_checkout, unpaid_order
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.settings.model import Settings
from engine.store.tables import funnel_events, orders, transactions
from engine.store.types import Instant


def open_or_fresh(desk: Desk, book: Book, scope: Scope) -> ColumnElement[bool]:
    return keeps_quiet(desk.runs.c.customer_id, book.settings, scope)


def keeps_quiet(customer_id: Column[int], settings: Settings, scope: Scope) -> ColumnElement[bool]:
    """SQL: that customer gets no back-end mail now.

    Quiet runs from the close, and anew from a later addition; an unpaid order is an open checkout.
    """
    now, quiet = scope.moment(), settings.front_end.quiet
    since = scope.moment(-not_given_up(settings.checkout.expires))
    recent = exists().where(
        transactions.c.customer_id == customer_id,
        transactions.c.opened_at <= now,
        or_(
            transactions.c.closes_at > scope.moment(-quiet),
            transactions.c.last_addition_at.between(scope.moment(MICROSECOND - quiet), now),
        ),
    )
    unpaid = exists().where(orders.c.customer_id == customer_id, *unpaid_order(since, now))
    started = exists().where(funnel_events.c.customer_id == customer_id, *open_checkout(since, now))
    return or_(recent, unpaid, started)


def _quiet_is_over(desk: Desk, book: Book, scope: Scope) -> list[ColumnElement[Any]]:
    begun, now = transactions.c.opened_at <= scope.now, scope.now
    quiet, expires = book.settings.front_end.quiet, book.settings.checkout.expires
    since = now - not_given_up(expires)
    return [
        _last(desk, transactions.c.closes_at, quiet, begun),
        _last(desk, transactions.c.last_addition_at, quiet, transactions.c.last_addition_at <= now),
        _last(desk, orders.c.at, expires, *unpaid_order(since, now)),
        _last(desk, funnel_events.c.at, expires, *open_checkout(since, now)),
    ]


def _last(
    desk: Desk, at: Column[Any], and_then: timedelta, *conditions: ColumnElement[bool]
) -> ColumnElement[Any]:
    """SQL: so long after the last of those instants."""
    last = select(func.max(type_coerce(at, BigInteger))).where(*conditions)
    theirs = last.where(at.table.c.customer_id == desk.runs.c.customer_id).correlate(desk.runs)
    return type_coerce(theirs.scalar_subquery() + span(and_then), Instant)


TRANSACTION = Policy(
    Reason.OPEN_TRANSACTION, Verdict.HOLD, open_or_fresh, back_end_only=True, until=_quiet_is_over
)
