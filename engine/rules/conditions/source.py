"""`source`: where a customer came from, by the first or the last order that tells."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, Select, exists, or_, select

from engine.rules.model import Condition, Customer, CustomerIds, Rows, Scope, looking_at
from engine.rules.words import Words
from engine.store.tables import orders

WORDS = ("source", "medium", "campaign")


class Touch(Words):
    """Which traffic: compared exactly, all the words that are said."""

    source: str | None = Field(None, min_length=1, description="such as `newsletter` or `google`")
    medium: str | None = Field(None, min_length=1, description="such as `email` or `cpc`")
    campaign: str | None = Field(None, min_length=1, description="such as `spring-sale`")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            msg = "say source, medium or campaign"
            raise ValueError(msg)
        return self

    def said(self) -> dict[str, str]:
        return {word: value for word in WORDS if (value := getattr(self, word)) is not None}


class Source(Condition):
    """The first or the last touch came from some traffic.

    A touch is an order, paid or not, that tells its source, medium or campaign; of two at the same
    instant both count.
    """

    key: ClassVar[str] = "source"
    summary: ClassVar[str] = "came from some traffic, by the first or last touch"

    first: Touch | None = Field(None, description="the first order that tells its traffic")
    last: Touch | None = Field(None, description="the latest order that tells its traffic")

    @model_validator(mode="after")
    def _one_touch(self) -> Self:
        if (self.first is None) == (self.last is None):
            msg = "say first or last, with source, medium or campaign"
            raise ValueError(msg)
        return self

    @property
    def _touch(self) -> Touch:
        touch = self.first or self.last
        assert touch is not None  # noqa: S101 - _one_touch saw to it
        return touch

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return scope.among(
            self._decisive(scope).where(*(orders.c[w] == v for w, v in self._touch.said().items()))
        )

    def _decisive(self, scope: Scope) -> CustomerIds:
        """The first or last touch of everybody."""
        other = orders.alias("other")
        outdone = other.c.at < orders.c.at if self.first else other.c.at > orders.c.at
        better = exists().where(
            other.c.customer_id == orders.c.customer_id, _tells(other), other.c.at <= scope.moment(), outdone
        )
        found = select(orders.c.customer_id).where(_tells(orders), orders.c.at <= scope.moment(), ~better)
        return found if scope.after is None else found.where(orders.c.at > scope.after)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return (select(orders.c.customer_id).where(_tells(orders), scope.passed(orders.c.at)),)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return self == other

    def sentence(self, scope: Scope) -> str:
        said = ", ".join(f"{word} {value!r}" for word, value in self._touch.said().items())
        return f"{'first' if self.first else 'last'} came by {said}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        touch: Select[*tuple[Any, ...]] = self._decisive(scope).with_only_columns(
            *(orders.c[w] for w in WORDS)
        )
        theirs = touch.where(orders.c.customer_id == customer_id).order_by(orders.c.order_ref).limit(1)
        one = looking_at(customer_id, theirs).subquery()
        return select(*(select(one.c[word]).scalar_subquery().label(word) for word in WORDS))

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        said = ", ".join(f"{word} {row[word]!r}" for word in WORDS if row[word])
        return f"{'first' if self.first else 'last'} came by {said}" if said else "no order tells the traffic"


def _tells(table: Any) -> ColumnElement[bool]:
    return or_(table.c.source != "", table.c.medium != "", table.c.campaign != "")
