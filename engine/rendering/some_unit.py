"""What `consumed(…).last_unit` takes for granted: that a single unit was completed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from engine.rules.conditions.consumed import Consumed
from engine.rules.model import Condition, CustomerIds, Rule, Scope
from engine.store.tables import consumption


@dataclass(frozen=True)
class SomeUnit(Rule):
    """Completed one of the product's units by itself, within the time words of a claim.

    The product's own completion is no answer: it proves no single unit.
    """

    used: Consumed

    def test(self, scope: Scope) -> ColumnElement[bool]:
        trace = consumption.c
        who = select(trace.customer_id).where(
            trace.sku == self.used.product,
            trace.kind == "completed",
            trace.unit.in_(self.used.units(scope)),
            self.used.during(trace.at, scope),
        )
        return scope.among(who)

    def sentence(self, scope: Scope) -> str:
        return f"completed a unit of {self.used.product!r}{self.used.when()}"

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return self.used.crossings(scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return self._any_use.implies(other, scope)

    def follows_from(self, known: Rule, scope: Scope) -> bool:
        """Whether a rule that is known to hold names such a unit."""
        names_one = isinstance(known, Consumed) and known.unit in known.units(scope)
        return known == self or (names_one and known.implies(self._any_use, scope))

    @property
    def _any_use(self) -> Consumed:
        """Using the product at all, in the same span of time."""
        return self.used.model_copy(update={"at_least": None, "unit": None, "completed": None})
