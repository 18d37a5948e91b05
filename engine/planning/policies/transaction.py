"""The back end keeps quiet while a transaction is open, and for a while after it closed."""

from sqlalchemy import ColumnElement, exists, or_

from engine.clock import MICROSECOND
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.store.tables import orders, transactions


def open_or_fresh(desk: Desk, book: Book, scope: Scope) -> ColumnElement[bool]:
    """Quiet runs from the close, and anew from a later addition; an unpaid order is an open checkout."""
    silent_since = scope.now - book.settings.front_end.quiet
    recent = exists().where(
        transactions.c.customer_id == desk.runs.c.customer_id,
        transactions.c.opened_at <= scope.now,
        or_(
            transactions.c.closes_at > silent_since,
            transactions.c.last_addition_at.between(silent_since + MICROSECOND, scope.now),
        ),
    )
    unpaid = exists().where(
        orders.c.customer_id == desk.runs.c.customer_id,
        ~orders.c.paid,
        orders.c.at.between(scope.now - book.settings.front_end.window, scope.now),
    )
    return or_(recent, unpaid)


TRANSACTION = Policy(Reason.OPEN_TRANSACTION, Verdict.HOLD, open_or_fresh)
