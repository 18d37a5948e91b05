"""Back-end mail goes to customers: who had every order refunded since is none."""

from sqlalchemy import ColumnElement, exists, literal, select

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.rules.people import is_customer
from engine.store.tables import customers


def no_customer(desk: Desk, _: Book, scope: Scope) -> ColumnElement[bool]:
    theirs = select(literal(1)).where(
        customers.c.customer_id == desk.runs.c.customer_id, is_customer(scope.each())
    )
    return ~exists(theirs.select_from(customers).correlate(desk.runs))


CUSTOMERS_ONLY = Policy(Reason.NOT_A_CUSTOMER, Verdict.SKIP, no_customer, owed_too=True)
