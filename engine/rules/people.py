"""A rule as the set of people it holds."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from engine.rules.conditions.ordered import counted
from engine.rules.model import CustomerIds, Rule, Scope
from engine.store.tables import customers, orders


def known(scope: Scope) -> ColumnElement[bool]:
    """SQL: we had heard of the person by then."""
    return customers.c.known_at <= scope.moment()


def is_customer(scope: Scope) -> ColumnElement[bool]:
    """SQL: the person has a paid order above zero that is not wholly refunded by then."""
    paid = select(orders.c.customer_id).where(counted(scope), orders.c.at <= scope.moment())
    return scope.among(paid)


def customer_crossings(scope: Scope) -> Sequence[CustomerIds]:
    """Whom the time may have made known, or a customer, or neither any more, since the scope's last look."""
    paid = select(orders.c.customer_id).where(orders.c.paid)
    return (
        select(customers.c.customer_id).where(scope.passed(customers.c.known_at)),
        paid.where(scope.passed(orders.c.at)),
        paid.where(scope.passed(orders.c.refunded_at)),
    )


def people(rule: Rule, scope: Scope, *, customers_only: bool = False) -> CustomerIds:
    """The ids of all known people the rule holds for; of customers only where asked."""
    found = select(customers.c.customer_id).where(known(scope), rule.test(scope))
    each = scope.each()
    return found.where(is_customer(each)) if customers_only else found
