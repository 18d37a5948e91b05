"""`segment`: a rule that has a name in campaigns/segments.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, select

from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Rule, Scope
from engine.store.tables import customers


class Segment(Condition):
    """The named segment holds the customer. Written `segment: vip`."""

    key: ClassVar[str] = "segment"
    summary: ClassVar[str] = "is in a named segment"

    name: str = Field(description="a segment of campaigns/segments.yaml")

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, data: Any) -> Any:
        return {"name": data} if isinstance(data, str) else data

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        if self.name not in segments:
            hint = did_you_mean(self.name, segments) or "define it in campaigns/segments.yaml"
            yield Complaint("", f"unknown segment {self.name!r}", hint)

    def _rule(self, scope: Scope) -> Rule:
        return scope.segments[self.name]

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return self._rule(scope).test(scope)

    def reach(self, scope: Scope) -> timedelta | None:
        return self._rule(scope).reach(scope)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return self._rule(scope).crossings(scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return self == other or self._rule(scope).implies(other, scope)

    def sentence(self, scope: Scope) -> str:
        return f"is in the segment {self.name!r}"

    def parts(self, scope: Scope) -> Sequence[Rule]:
        return (self._rule(scope),)

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        return select(self.test(scope).label("inside")).where(customers.c.customer_id == customer_id)

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"{'in' if row['inside'] else 'not in'} {self.name!r}"
