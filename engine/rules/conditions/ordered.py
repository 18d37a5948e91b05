"""`ordered`: how many paid orders, each asked for its amount."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, and_, func, or_, select, true

from engine.rules.model import Condition, Customer, CustomerIds, Rows, Scope
from engine.rules.money import minor_at_least, minor_at_most
from engine.rules.words import Bounds, CountWords, TimeWords, ago, bounds, times
from engine.store.tables import orders


def counted(scope: Scope) -> ColumnElement[bool]:
    """SQL: a paid order above zero that is not wholly refunded by then."""
    kept = or_(orders.c.refunded_at.is_(None), orders.c.refunded_at > scope.moment())
    return and_(orders.c.paid, orders.c.amount > 0, kept)


class Ordered(Condition, CountWords, TimeWords):
    """Placed paid orders above zero that were not wholly refunded.

    `at_least` and `at_most` count them; `amount` is asked of each order, in the shop's currency.
    """

    key: ClassVar[str] = "ordered"
    summary: ClassVar[str] = "placed so many paid orders"

    amount: Bounds | None = Field(None, description="what each order must have come to")

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return and_(true(), *self._tests(scope))

    def holders(self, scope: Scope) -> CustomerIds | None:
        return self._who(scope) if self.least == 1 and self.at_most is None else None

    def _tests(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        if self.least == 1:
            yield scope.among(self._who(scope))
        elif self.least > 1:
            yield scope.among(self._who_having(scope, func.count() >= self.least))
        if self.at_most == 0:
            yield ~scope.among(self._who(scope))
        elif self.at_most is not None:
            yield ~scope.among(self._who_having(scope, func.count() > self.at_most))

    def _rows(self, scope: Scope) -> ColumnElement[bool]:
        return and_(counted(scope), self.during(orders.c.at, scope), *self._amounts(scope))

    def _amounts(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        amount = self.amount or Bounds.model_construct()
        if amount.at_least is not None:
            yield orders.c.amount >= minor_at_least(amount.at_least, scope.minor_units)
        if amount.at_most is not None:
            yield orders.c.amount <= minor_at_most(amount.at_most, scope.minor_units)

    def _who(self, scope: Scope) -> CustomerIds:
        return select(orders.c.customer_id).where(self._rows(scope))

    def _who_having(self, scope: Scope, enough: ColumnElement[bool]) -> CustomerIds:
        return self._who(scope).group_by(orders.c.customer_id).having(enough)

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now) if self.least else None

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        theirs = select(orders.c.customer_id).where(orders.c.paid)
        return (
            *self.crossed(theirs, orders.c.at, scope),
            theirs.where(scope.passed(orders.c.refunded_at)),
        )

    def implies(self, other: Condition, scope: Scope) -> bool:
        if not isinstance(other, Ordered) or other.at_most is not None:
            return False
        return (
            self.least >= max(other.least, 1)
            and self.looser(other)
            and (other.amount is None or other.amount == self.amount)
        )

    def sentence(self, scope: Scope) -> str:
        how_many = bounds(self.least or None, self.at_most, "paid order")
        each = f" of {self.amount.say()} each" if self.amount else ""
        return f"placed {how_many}{each}{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        return select(
            func.count().filter(self._rows(scope)).label("orders"),
            func.max(orders.c.at, type_=orders.c.at.type).filter(counted(scope)).label("last"),
        ).where(orders.c.customer_id == customer_id, orders.c.at <= scope.moment())

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"{times(row['orders'], 'such order')}, last ordered {ago(row['last'], scope.now)}"
