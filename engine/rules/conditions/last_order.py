"""`last_order`: when the latest paid order was."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Self

from pydantic import model_validator
from sqlalchemy import ColumnElement, func, select

from engine.rules.conditions.ordered import counted
from engine.rules.model import Condition, Customer, CustomerIds, Rows, Scope
from engine.rules.words import TimeWords, ago
from engine.store.tables import orders


class LastOrder(Condition, TimeWords):
    """The latest paid order above zero that was not wholly refunded lies in a span of time."""

    key: ClassVar[str] = "last_order"
    summary: ClassVar[str] = "placed the latest paid order in a span of time"

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if not self.model_fields_set:
            msg = "say when: within, older_than, since or until"
            raise ValueError(msg)
        return self

    def test(self, scope: Scope) -> ColumnElement[bool]:
        theirs = select(orders.c.customer_id).where(counted(scope))
        in_span = theirs.where(self.during(orders.c.at, scope))
        later = theirs.where(self.behind(orders.c.at, scope), orders.c.at <= scope.moment())
        if scope.one_by_one:
            return scope.among(in_span) & ~scope.among(later)
        return scope.among(in_span.except_(later))

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        theirs = select(orders.c.customer_id).where(orders.c.paid)
        return (
            *self.crossed(theirs, orders.c.at, scope),
            theirs.where(scope.passed(orders.c.refunded_at)),
        )

    def implies(self, other: Condition, scope: Scope) -> bool:
        """A latest order names no product, and moves on with the next one."""
        return False

    def sentence(self, scope: Scope) -> str:
        return f"last ordered{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        last = func.max(orders.c.at, type_=orders.c.at.type).label("last")
        return select(last).where(
            orders.c.customer_id == customer_id, counted(scope), orders.c.at <= scope.moment()
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"last ordered {ago(row['last'], scope.now)}" if row["last"] else "never ordered"
