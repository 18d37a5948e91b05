"""`offered`: what was offered to somebody in the front end, and how they answered."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, select

from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Scope
from engine.rules.words import TimeWords, ago, times
from engine.store.tables import funnel_events as events

REFUSED = "offer_refused"
TRACES = ("offer_shown", "offer_accepted", REFUSED)  # what the funnel tells of an offer
Outcome = Literal["shown", "accepted", "refused"]


class Offered(Condition, TimeWords):
    """Was offered a product in the front end. An answer is a trace of the offer: who accepted or refused it
    was shown it, whether or not the funnel told so.

    Accepting says nothing about buying: what was bought is told by orders.
    """

    key: ClassVar[str] = "offered"
    summary: ClassVar[str] = "was offered a product in the front end, and accepted or refused it"

    product: str = Field(description="the product's sku")
    outcome: Outcome = Field("shown", description="what became of it; `shown`: whatever did")

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        if self.product not in catalogue:
            hint = did_you_mean(self.product, catalogue) or "add it to campaigns/products.yaml"
            yield Complaint("product", f"unknown product {self.product!r}", hint)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return scope.among(self.holders(scope))

    def holders(self, scope: Scope) -> CustomerIds:
        return self._theirs().where(self.during(events.c.at, scope))

    def _theirs(self) -> CustomerIds:
        return select(events.c.customer_id).where(events.c.sku == self.product, self._answered())

    def _answered(self) -> ColumnElement[bool]:
        return events.c.what.in_(TRACES if self.outcome == "shown" else (f"offer_{self.outcome}",))

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return self.crossed(self._theirs(), events.c.at, scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return (
            isinstance(other, Offered)
            and other.product == self.product
            and other.outcome in ("shown", self.outcome)
            and self.looser(other)
        )

    def sentence(self, scope: Scope) -> str:
        product = scope.catalogue.get(self.product)
        name = product.name if product else self.product
        said = f"was offered {name}" if self.outcome == "shown" else f"{self.outcome} the offer of {name}"
        return f"{said} in the front end{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        return select(
            func.count().filter(self._answered(), self.during(events.c.at, scope)).label("times"),
            func.max(events.c.at, type_=events.c.at.type).filter(self._answered()).label("last"),
            func.count().label("traces"),
        ).where(
            events.c.customer_id == customer_id,
            events.c.what.in_(TRACES),
            events.c.sku == self.product,
            events.c.at <= scope.moment(),
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        if not row["traces"]:
            return "never offered"
        said = "offered" if self.outcome == "shown" else self.outcome
        if row["last"] is None:
            return f"offered, but never {said}"
        return (
            f"{said} {times(row['times'], 'time')}{self.in_that_time()}, last {ago(row['last'], scope.now)}"
        )
