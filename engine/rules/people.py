"""A rule as the set of people it holds."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select

from engine.rules.conditions.ordered import counted
from engine.rules.model import CustomerIds, Rule, Scope
from engine.store.tables import customers, orders


def known(scope: Scope) -> ColumnElement[bool]:
    """SQL: we had heard of the person by then."""
    return customers.c.known_at <= scope.now


def is_customer(scope: Scope) -> ColumnElement[bool]:
    """SQL: the person has a paid order above zero that is not wholly refunded by then."""
    paid = select(orders.c.customer_id).where(counted(scope.now), orders.c.at <= scope.now)
    return scope.among(paid)


def customer_crossings(scope: Scope, since: datetime) -> Sequence[CustomerIds]:
    """Whom the time may have made known, or a customer, or neither any more, between `since` and now."""
    early, late = sorted((since, scope.now))
    paid = select(orders.c.customer_id).where(orders.c.paid)
    return (
        select(customers.c.customer_id).where(customers.c.known_at.between(early, late)),
        paid.where(orders.c.at.between(early, late)),
        paid.where(orders.c.refunded_at.between(early, late)),
    )


def people(rule: Rule, scope: Scope, *, customers_only: bool = False) -> CustomerIds:
    """The ids of all known people the rule holds for; of customers only where asked."""
    found = select(customers.c.customer_id).where(known(scope), rule.test(scope))
    each = scope.each()
    return found.where(is_customer(each)) if customers_only else found
