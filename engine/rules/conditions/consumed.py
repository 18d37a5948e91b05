"""`consumed`: what was really used of a product, beyond starting it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, and_, func, or_, select

from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rules.conditions.started import TRACES, Started
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Rule, Scope
from engine.rules.words import TimeWords, ago, times
from engine.settings.values import Percent
from engine.store.tables import consumption as used

WHOLE = ""  # the unit of a fact about the product as a whole


class Consumed(Condition, TimeWords):
    """Used a product: some of it, a share of its units, one unit, or all of it.

    A unit counts once it is completed; the product's own completion counts as all of its units,
    but proves no single one. Without `at_least`, `unit` or `completed`: progressed in or completed
    any part, starting alone is not enough. Using implies nothing about buying.
    """

    key: ClassVar[str] = "consumed"
    summary: ClassVar[str] = "used a product, beyond starting it"

    product: str = Field(description="the product, by its sku")
    at_least: Percent | None = Field(None, description="share of the product's units, such as 50%")
    unit: str | None = Field(None, description="this unit is completed")
    completed: Literal[True] | None = Field(None, description="all of it is completed")

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if sum(word is not None for word in (self.at_least, self.unit, self.completed)) > 1:
            msg = "say one of at_least, unit and completed"
            raise ValueError(msg)
        if self.at_least is not None and self.at_least == 0:
            msg = "at_least: 0% holds for everybody; leave the condition out"
            raise ValueError(msg)
        return self

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        if self.product not in catalogue:
            hint = did_you_mean(self.product, catalogue) or "add it to campaigns/products.yaml"
            yield Complaint("product", f"unknown product {self.product!r}", hint)
            return
        units = catalogue[self.product].units
        if self.unit is not None and self.unit not in units:
            yield Complaint(
                "unit", f"{self.product!r} has no unit {self.unit!r}", did_you_mean(self.unit, units)
            )
        if self.at_least is not None and not units:
            hint = "list its units in campaigns/products.yaml, or ask for completed: true"
            yield Complaint("at_least", f"{self.product!r} has no units to take a share of", hint)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        holders = self.holders(scope)
        if holders is not None:
            return scope.among(holders)
        done = self._who(scope, used.c.kind == "completed")
        whole = scope.among(done.where(used.c.unit == WHOLE))
        units = self.units(scope)
        if not units:
            return whole
        return whole | scope.among(
            done.where(used.c.unit.in_(units))
            .group_by(used.c.customer_id)
            .having(func.count(used.c.unit.distinct()) >= self.needed(len(units)))
        )

    def holders(self, scope: Scope) -> CustomerIds | None:
        if self.unit is not None:
            return self._who(scope, used.c.kind == "completed", used.c.unit == self.unit)
        return self._who(scope, used.c.kind != "started") if self._share is None else None

    @property
    def _share(self) -> Decimal | None:
        return Decimal(1) if self.completed else self.at_least

    def needed(self, units: int) -> int:
        """How many of so many units make the share."""
        return math.ceil((self._share or Decimal(1)) * units)

    def units(self, scope: Scope) -> list[str]:
        product = scope.catalogue.get(self.product)
        return list(product.units) if product else []

    def _who(self, scope: Scope, *only: ColumnElement[bool]) -> CustomerIds:
        return select(used.c.customer_id).where(
            used.c.sku == self.product, *only, self.during(used.c.at, scope)
        )

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        theirs = select(used.c.customer_id).where(used.c.sku == self.product, used.c.kind.in_(TRACES[1:]))
        return self.crossed(theirs, used.c.at, scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        if isinstance(other, Started):
            when = {word: getattr(self, word) for word in TimeWords.model_fields}
            return Started(product=self.product, unit=self.unit, **when).implies(other, scope)
        if not isinstance(other, Consumed) or other.product != self.product or not self.looser(other):
            return False
        if other.unit is not None:
            return other.unit == self.unit
        if other._share is None:  # noqa: SLF001 - of the same class
            return True
        units = len(self.units(scope))
        if self._share is None or not units:
            return self._share is not None and self.completed == other.completed
        return self.needed(units) >= other.needed(units)

    def lasting(self) -> Rule | None:
        return self.model_copy(update={"within": None})

    def sentence(self, scope: Scope) -> str:
        product = scope.catalogue.get(self.product)
        name = product.name if product else self.product
        if self.unit is not None:
            unit = product.units.get(self.unit, self.unit) if product else self.unit
            return f"completed {unit!r} of {name}{self.when()}"
        if self.completed:
            return f"completed {name}{self.when()}"
        if self.at_least is not None:
            return f"completed at least {self.at_least:.0%} of {name}{self.when()}"
        return f"used {name}{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        completed = used.c.kind == "completed"
        counting = and_(completed, self.during(used.c.at, scope))
        known = or_(used.c.unit.in_(self.units(scope)), used.c.unit == (self.unit or WHOLE))
        return select(
            func.count(used.c.unit.distinct()).filter(counting, known, used.c.unit != WHOLE).label("units"),
            func.count().filter(counting, used.c.unit == (self.unit or WHOLE)).label("asked"),
            func.max(used.c.at, type_=used.c.at.type).filter(used.c.kind != "started").label("last"),
            func.count().label("traces"),
        ).where(used.c.customer_id == customer_id, used.c.sku == self.product, used.c.at <= scope.moment())

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        if not row["traces"]:
            return "never opened"
        if row["last"] is None:
            return "started, but went no further"
        return f"{self._counted(row, scope)}{self.in_that_time()}, last used {ago(row['last'], scope.now)}"

    def _counted(self, row: Mapping[str, Any], scope: Scope) -> str:
        """What of it was completed, in the time that the rule asks about."""
        if row["asked"]:
            return "completed" if self.unit is not None else "completed as a whole"
        of = len(self.units(scope))
        if self.unit is not None or not of:
            return "not completed"
        return f"{row['units']} of {times(of, 'unit')} completed"
