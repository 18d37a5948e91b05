"""`first_order`: when the first paid order was."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import model_validator
from sqlalchemy import ColumnElement, func, select

from engine.rules.conditions.ordered import counted
from engine.rules.model import Condition, CustomerIds, Rows, Scope
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
        first, _ = self.span(scope.now)
        theirs = select(orders.c.customer_id).where(counted(scope.now))
        in_span = scope.among(theirs.where(self.during(orders.c.at, scope)))
        return in_span if first is None else in_span & ~scope.among(theirs.where(orders.c.at < first))

    def crossings(self, scope: Scope, since: datetime) -> Sequence[CustomerIds]:
        early, late = sorted((since, scope.now))
        theirs = select(orders.c.customer_id).where(orders.c.paid)
        return (
            theirs.where(self.crossed(orders.c.at, since, scope.now)),
            theirs.where(orders.c.refunded_at.between(early, late)),
        )

    def implies(self, other: Condition, scope: Scope) -> bool:
        """A first order names no product, and a refund may make a later one the first."""
        return False

    def sentence(self, scope: Scope) -> str:
        return f"first ordered{self.when()}"

    def actual(self, scope: Scope, customer_id: int) -> Rows:
        first = func.min(orders.c.at, type_=orders.c.at.type).label("first")
        return select(first).where(
            orders.c.customer_id == customer_id, counted(scope.now), orders.c.at <= scope.now
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"first ordered {ago(row['first'], scope.now)}" if row["first"] else "never ordered"
