"""`attribute`: a property of the customer, as it was at the instant asked about."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema, model_validator
from sqlalchemy import ColumnElement, and_, exists, func, select

from engine.rules.model import Condition, Customer, CustomerIds, Rows, Scope
from engine.rules.words import bounds
from engine.store.dialect import unindexed
from engine.store.tables import attributes


def as_written(value: Any) -> Any:
    """A YAML scalar as the text it is compared with: `true`, `3`, `gold`."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | Decimal) else value


Scalar = Annotated[
    str, BeforeValidator(as_written), WithJsonSchema({"type": ["string", "number", "boolean"]})
]


class Attribute(Condition):
    """An attribute of the customer has a value. The last value at or before the instant decides.

    Text is compared exactly, numbers as numbers; an empty value is as good as none.
    """

    key: ClassVar[str] = "attribute"
    summary: ClassVar[str] = "has an attribute with a value"

    name: str = Field(min_length=1, description="the attribute's name, as imported")
    is_: Scalar | None = Field(None, description="exactly this text")
    in_: tuple[Scalar, ...] | None = Field(None, min_length=1, description="exactly one of these texts")
    contains: str | None = Field(None, min_length=1, description="this text somewhere within")
    at_least: Decimal | None = Field(None, description="a number, this or more")
    at_most: Decimal | None = Field(None, description="a number, this or less")
    exists: StrictBool | None = Field(None, description="true: there is a value; false: there is none")

    @model_validator(mode="before")
    @classmethod
    def _python_words(cls, data: Any) -> Any:
        """`is` and `in` are reserved in Python."""
        renamed = {"is": "is_", "in": "in_"}
        return (
            {renamed.get(key, key): value for key, value in data.items()} if isinstance(data, dict) else data
        )

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [word for word in ("is_", "in_", "contains", "exists") if getattr(self, word) is not None] + (
            ["bounds"] if (self.at_least, self.at_most) != (None, None) else []
        )
        if len(asked) != 1:
            msg = "say one of is, in, contains, exists, or at_least and at_most"
            raise ValueError(msg)
        return self

    def test(self, scope: Scope) -> ColumnElement[bool]:
        if self.exists is False:
            return ~scope.among(self._who(scope, attributes.c.value != ""))
        return scope.among(self._who(scope, self._asked()))

    def _asked(self) -> ColumnElement[bool]:
        value, number = attributes.c.value, attributes.c.number
        if self.is_ is not None:
            return value == self.is_
        if self.in_ is not None:
            return value.in_(self.in_)
        if self.contains is not None:
            return func.replace(value, self.contains, "") != value
        if self.exists:
            return value != ""
        least, most = self.at_least, self.at_most
        return and_(
            number.is_not(None),
            number >= float(least) if least is not None else number.is_not(None),
            number <= float(most) if most is not None else number.is_not(None),
        )

    def _who(self, scope: Scope, asked: ColumnElement[bool]) -> CustomerIds:
        later = attributes.alias("later")
        superseded = exists().where(
            later.c.customer_id == attributes.c.customer_id,
            later.c.name == self.name,
            later.c.at > attributes.c.at,
            later.c.at <= scope.moment(),
        )
        exact = self.is_ is not None or self.in_ is not None  # an index of the values is narrower
        at = unindexed(attributes.c.at) if exact else attributes.c.at
        found = select(attributes.c.customer_id).where(
            attributes.c.name == self.name, asked, at <= scope.moment(), ~superseded
        )
        return found if scope.after is None else found.where(attributes.c.at > scope.after)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        mine = attributes.c.name == self.name
        return (select(attributes.c.customer_id).where(mine, scope.passed(attributes.c.at)),)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return self == other

    def sentence(self, scope: Scope) -> str:
        if self.is_ is not None:
            return f"{self.name} is {self.is_!r}"
        if self.in_ is not None:
            return f"{self.name} is one of {', '.join(map(repr, self.in_))}"
        if self.contains is not None:
            return f"{self.name} contains {self.contains!r}"
        if self.exists is not None:
            return f"{self.name} is {'known' if self.exists else 'not known'}"
        return f"{self.name} is {bounds(self.at_least, self.at_most)}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        rows = and_(
            attributes.c.customer_id == customer_id,
            attributes.c.name == self.name,
            attributes.c.at <= scope.moment(),
        )
        latest = select(attributes.c.value).where(rows).order_by(attributes.c.at.desc()).limit(1)
        return select(latest.scalar_subquery().label("value"))

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return f"{self.name} is {row['value']!r}" if row["value"] else f"{self.name} is not known"
