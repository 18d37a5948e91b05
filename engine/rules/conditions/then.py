"""`then`: bought one thing, and another within so long after it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema
from sqlalchemy import BigInteger, ColumnElement, func, select, type_coerce

from engine.clock import Duration, span
from engine.facts.catalogue import Catalogue
from engine.rules.conditions.bought import Bought
from engine.rules.model import All, Complaint, Condition, Customer, CustomerIds, Rows, Rule, Scope
from engine.rules.words import REFERENCE, ago, days
from engine.store.tables import order_lines


def _bought(value: Any) -> Any:
    """`{bought: {product: guide}}` as the words of the condition."""
    if isinstance(value, dict) and set(value) == {"bought"}:
        return value["bought"]
    msg = "write {bought: {…}}"
    raise ValueError(msg)


BoughtRule = Annotated[
    Bought,
    BeforeValidator(_bought),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"bought": {REFERENCE: "condition-bought"}},
            "required": ["bought"],
            "additionalProperties": False,
        }
    ),
]
COUNTS = ("at_least", "at_most", "quantity")


class Then(Condition):
    """Bought one thing and later another: the next strictly after the first, at most so long after it."""

    key: ClassVar[str] = "then"
    summary: ClassVar[str] = "bought one thing, then another within so long"

    first: BoughtRule = Field(
        description="a bought condition, without its counts `at_least`, `at_most`, `quantity`"
    )
    next: BoughtRule = Field(
        description="a bought condition, without its counts `at_least`, `at_most`, `quantity`"
    )
    within: Duration = Field(description="the longest time between the two")

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        for word, bought in (("first", self.first), ("next", self.next)):
            for count in COUNTS:
                if getattr(bought, count) is not None:
                    yield Complaint(word, f"{count!r} has no meaning within then")
            for complaint in bought.complaints(catalogue, segments):
                yield Complaint(word, complaint.message, complaint.hint)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        first, following = order_lines.alias("first"), order_lines.alias("following")
        return scope.among(
            select(first.c.customer_id)
            .join(following, following.c.customer_id == first.c.customer_id)
            .where(*self._pair(first, following, scope))
        )

    def _pair(self, first: Any, following: Any, scope: Scope) -> Iterator[ColumnElement[bool]]:
        gap = type_coerce(following.c.at, BigInteger) - type_coerce(first.c.at, BigInteger)
        yield self.first.rows(scope, first)
        yield self.next.rows(scope, following)
        yield following.c.at > first.c.at
        yield gap <= span(self.within)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        """The gap between two facts never changes; each of them may come to an edge of its own."""
        return (*self.first.crossings(scope), *self.next.crossings(scope))

    def implies(self, other: Condition, scope: Scope) -> bool:
        return self.first.implies(other, scope) or self.next.implies(other, scope)

    def lasting(self) -> Rule | None:
        return All(tuple(part for part in (self.first.lasting(), self.next.lasting()) if part))

    def sentence(self, scope: Scope) -> str:
        first, second = self.first.sentence(scope), self.next.sentence(scope)
        return f"{first}, and within {days(self.within)} of that {second}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        """The latest pair that fits; and when each of the two was last bought, by itself."""
        first, following = order_lines.alias("first"), order_lines.alias("following")
        pairs = (first.c.customer_id == customer_id, following.c.customer_id == customer_id)
        fits = (*pairs, *self._pair(first, following, scope))
        latest = (following.c.at.desc(), first.c.at.desc())
        fitting = [
            select(table.c.at).where(*fits).order_by(*latest).limit(1).scalar_subquery().label(name)
            for name, table in (("led", first), ("followed", following))
        ]
        lasts = [
            select(func.max(table.c.at, type_=order_lines.c.at.type))
            .where(table.c.customer_id == customer_id, bought.rows(scope, table))
            .scalar_subquery()
            .label(name)
            for name, bought, table in (("first", self.first, first), ("next", self.next, following))
        ]
        return select(*fitting, *lasts)

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        pair = ("led", "followed") if row["followed"] else ("first", "next")
        first, second = (_when_bought(row[name], scope.now, last=not row["followed"]) for name in pair)
        return f"the first: {first}; the second: {second}"


def _when_bought(at: datetime | None, now: datetime, *, last: bool) -> str:
    if at is None:
        return "never bought"
    return f"{'last ' if last else ''}bought {ago(at, now)}"
