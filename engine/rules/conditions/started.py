"""`started`: any trace of use of a product, or of one of its units."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, func, select

from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Scope
from engine.rules.words import TimeWords, ago
from engine.store.tables import consumption as used

TRACES = ("started", "progressed", "completed")  # the kinds of use; each goes further than the one before


class Started(Condition, TimeWords):
    """Started a product, or one of its units. Progress and completion are traces of a start too.

    Having consumed a product implies having started it, never the other way round; neither says
    anything about buying.
    """

    key: ClassVar[str] = "started"
    summary: ClassVar[str] = "started a product, or one of its units"

    product: str = Field(description="the product's sku")
    unit: str | None = Field(None, description="this unit of it")

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        if self.product not in catalogue:
            nearest = did_you_mean(self.product, catalogue)
            hint = nearest or "add it to campaigns/products.yaml"
            yield Complaint("product", f"unknown product {self.product!r}", hint)
        elif self.unit is not None and self.unit not in catalogue[self.product].units:
            nearest = did_you_mean(self.unit, catalogue[self.product].units)
            yield Complaint("unit", f"{self.product!r} has no unit {self.unit!r}", nearest)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return scope.among(self.holders(scope))

    def holders(self, scope: Scope) -> CustomerIds:
        return select(used.c.customer_id).where(self._about(), self.during(used.c.at, scope))

    def _about(self) -> ColumnElement[bool]:
        about = used.c.sku == self.product
        return about if self.unit is None else about & (used.c.unit == self.unit)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        theirs = select(used.c.customer_id).where(self._about(), used.c.kind.in_(TRACES))
        return self.crossed(theirs, used.c.at, scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return (
            isinstance(other, Started)
            and other.product == self.product
            and other.unit in (None, self.unit)
            and self.looser(other)
        )

    def sentence(self, scope: Scope) -> str:
        product = scope.catalogue.get(self.product)
        name = product.name if product else self.product
        if self.unit is None:
            return f"started {name}{self.when()}"
        unit = product.units.get(self.unit, self.unit) if product else self.unit
        return f"started {unit!r} of {name}{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        first = func.min(used.c.at, type_=used.c.at.type).label("first")
        return select(first).where(
            used.c.customer_id == customer_id, self._about(), used.c.at <= scope.moment()
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"started {ago(row['first'], scope.now)}" if row["first"] else "never opened"
