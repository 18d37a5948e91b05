"""The back end keeps quiet while a transaction is open, and for a while after it closed."""

from sqlalchemy import ColumnElement, exists, or_

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.store.tables import transactions


def open_or_fresh(desk: Desk, book: Book, scope: Scope) -> ColumnElement[bool]:
    """Quiet runs from the close, and anew from each later addition."""
    silent_since = scope.now - book.settings.front_end.quiet
    return exists().where(
        transactions.c.customer_id == desk.runs.c.customer_id,
        transactions.c.opened_at <= scope.now,
        or_(transactions.c.closes_at > silent_since, transactions.c.last_addition_at > silent_since),
    )


TRANSACTION = Policy(Reason.OPEN_TRANSACTION, Verdict.HOLD, open_or_fresh)
