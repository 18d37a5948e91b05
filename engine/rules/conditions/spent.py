"""`spent`: money from paid orders, less refunds and credits, each at its own time."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import reduce
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, CompoundSelect, and_, func, select, true, union_all

from engine.facts.catalogue import Catalogue
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Scope, looking_at
from engine.rules.money import in_words, minor_at_least, minor_at_most
from engine.rules.words import Bounds, ProductWords, TimeWords
from engine.store.tables import order_lines, orders, refunds


class Spent(Condition, ProductWords, Bounds, TimeWords):
    """Spent an amount, net: orders count at their time, refunds and credits at theirs.

    With a product or kind only its order lines and the refunds that name them count.
    """

    key: ClassVar[str] = "spent"
    summary: ClassVar[str] = "spent an amount, net of refunds and credits"

    category: None = Field(None, exclude=True)
    tag: None = Field(None, exclude=True)

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.product is not None and self.kind is not None:
            msg = "say product or kind, not both"
            raise ValueError(msg)
        return self

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        return self.product_complaints(catalogue)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return and_(true(), *(self._bounds(scope) if scope.one_by_one else self._tests(scope)))

    def _bounds(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        """For a few candidates: what each of them spent, looked up by their id."""
        total = self._total(scope, scope.person)
        if self.at_least is not None:
            yield total >= minor_at_least(self.at_least, scope.minor_units)
        if self.at_most is not None:
            yield total <= minor_at_most(self.at_most, scope.minor_units)

    def _total(self, scope: Scope, customer_id: Customer) -> ColumnElement[int]:
        sums = (
            looking_at(
                customer_id,
                select(func.coalesce(func.sum(amount), 0))
                .where(table.c.customer_id == customer_id, only, self.during(table.c.at, scope))
                .correlate(scope.person.table, *scope.outer),
            ).scalar_subquery()
            for table, amount, only in self._movements(scope)
        )
        return reduce(operator.add, sums)

    def _tests(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        if self.at_least is not None:
            least = minor_at_least(self.at_least, scope.minor_units)
            if least > 0:
                yield scope.among(self._who(scope, lambda total: total >= least))
            else:  # who moved no money spent 0
                yield ~scope.among(self._who(scope, lambda total: total < least))
        if self.at_most is not None:
            most = minor_at_most(self.at_most, scope.minor_units)
            if most >= 0:
                yield ~scope.among(self._who(scope, lambda total: total > most))
            else:
                yield scope.among(self._who(scope, lambda total: total <= most))

    def _who(self, scope: Scope, enough: Callable[[Any], ColumnElement[bool]]) -> CustomerIds:
        moved = self._moved(scope).subquery()
        return (
            select(moved.c.customer_id).group_by(moved.c.customer_id).having(enough(func.sum(moved.c.amount)))
        )

    def _moved(self, scope: Scope) -> CompoundSelect[Any]:
        return union_all(
            *(
                select(table.c.customer_id, amount.label("amount"))
                .where(only, self.during(table.c.at, scope))
                .correlate(*scope.outer)
                for table, amount, only in self._movements(scope)
            )
        )

    def _movements(self, scope: Scope) -> Iterator[tuple[Any, ColumnElement[int], ColumnElement[bool]]]:
        """Where money moved: table, signed amount, which rows."""
        if self.chooses_products():
            yield order_lines, order_lines.c.amount, self.of_products(order_lines.c.sku, scope)
            yield refunds, -refunds.c.amount, self.of_products(refunds.c.sku, scope)
        else:
            yield orders, orders.c.amount, orders.c.paid
            yield refunds, -refunds.c.amount, true()

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now) if (self.at_least or 0) > 0 else None

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return [
            who
            for table, _, only in self._movements(scope)
            for who in self.crossed(select(table.c.customer_id).where(only), table.c.at, scope)
        ]

    def implies(self, other: Condition, scope: Scope) -> bool:
        """Money is no fact that copy may claim, and it can fall again."""
        return False

    def sentence(self, scope: Scope) -> str:
        on = f" on {self.named(scope.catalogue)}" if self.chooses_products() else ""
        return f"spent {self.say()}{on}{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        return select(self._total(scope, customer_id).label("spent"))

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"spent {in_words(int(row['spent']), scope.minor_units)}{self.in_that_time()}"
