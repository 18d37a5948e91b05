"""`first_order`: when the first paid order was."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import model_validator
from sqlalchemy import ColumnElement, func, select

from engine.rules.conditions.ordered import counted
from engine.rules.model import Condition, Customer, CustomerIds, Rows, Scope
from engine.rules.words import TimeWords, ago
from engine.store.tables import orders


class FirstOrder(Condition, TimeWords):
    """The first paid order above zero that was not wholly refunded lies in a span of time."""

    key: ClassVar[str] = "first_order"
    summary: ClassVar[str] = "placed the first paid order in a span of time"

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if not self.model_fields_set:
            msg = "say when: within, older_than, since or until"
            raise ValueError(msg)
        return self

    def test(self, scope: Scope) -> ColumnElement[bool]:
        before = self.before(orders.c.at, scope)
        theirs = select(orders.c.customer_id).where(counted(scope))
        in_span = scope.among(theirs.where(self.during(orders.c.at, scope)))
        return in_span if before is None else in_span & ~scope.among(theirs.where(before))

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        theirs = select(orders.c.customer_id).where(orders.c.paid)
        return (
            *self.crossed(theirs, orders.c.at, scope),
            theirs.where(scope.passed(orders.c.refunded_at)),
        )

    def implies(self, other: Condition, scope: Scope) -> bool:
        """A first order names no product, and a refund may make a later one the first."""
        return False

    def sentence(self, scope: Scope) -> str:
        return f"first ordered{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        first = func.min(orders.c.at, type_=orders.c.at.type).label("first")
        return select(first).where(
            orders.c.customer_id == customer_id, counted(scope), orders.c.at <= scope.moment()
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"first ordered {ago(row['first'], scope.now)}" if row["first"] else "never ordered"
