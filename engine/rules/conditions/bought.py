"""`bought`: paid or free order lines of a product, net of full refunds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, FromClause, and_, case, exists, func, or_, select, true

from engine.facts.catalogue import Catalogue
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Rule, Scope
from engine.rules.words import Bounds, CountWords, Position, ProductWords, TimeWords, ago, bounds, times
from engine.store.tables import order_lines as lines
from engine.store.tables import orders, transactions

End = Literal["front", "back"]
_AS: dict[Position, str] = {
    "core": "the core offer",
    "bump": "a bump",
    "upsell": "an upsell",
    "downsell": "a downsell",
}


class Bought(Condition, ProductWords, CountWords, TimeWords):
    """Bought a product, and not sent it back. A free order counts, an unpaid one does not.

    `at_least` and `at_most` count the orders that hold it, `quantity` the pieces. Where the source
    tells no position, what opened a transaction is its core, and what was added to one an upsell.
    """

    key: ClassVar[str] = "bought"
    summary: ClassVar[str] = "bought a product, net of full refunds"

    any: Literal[True] | None = Field(None, description="any product at all")
    quantity: Bounds | None = Field(None, description="how many pieces, over all of those orders")
    position: Position | None = Field(None, description="where it stood in its checkout")
    end: End | None = Field(None, description="in the customer's first transaction, or after it")

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.any is None and not self.chooses_products():
            msg = "say what: product, kind, category, tag, or any: true"
            raise ValueError(msg)
        if self.any is not None and self.chooses_products():
            msg = "any: true stands alone, without product, kind, category or tag"
            raise ValueError(msg)
        return self

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        yield from self.product_complaints(catalogue)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return and_(true(), *self._tests(scope))

    def holders(self, scope: Scope) -> CustomerIds | None:
        simple = self.least == 1 and self.at_most is None and self.quantity is None
        return self._who(scope) if simple else None

    def _tests(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        orders = func.count(lines.c.order_ref.distinct())
        if self.least == 1:
            yield scope.among(self._who(scope))
        elif self.least > 1:
            yield scope.among(self._who_having(scope, orders >= self.least))
        if self.at_most == 0:
            yield ~scope.among(self._who(scope))
        elif self.at_most is not None:
            yield ~scope.among(self._who_having(scope, orders > self.at_most))
        yield from self._quantity_tests(scope)

    def _quantity_tests(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        pieces = func.sum(lines.c.quantity)
        if self.quantity and self.quantity.at_least is not None and self.quantity.at_least > 0:
            yield scope.among(self._who_having(scope, pieces >= math.ceil(self.quantity.at_least)))
        if self.quantity and self.quantity.at_most is not None:
            yield ~scope.among(self._who_having(scope, pieces > math.floor(self.quantity.at_most)))

    def rows(self, scope: Scope, table: FromClause = lines) -> ColumnElement[bool]:
        """SQL: the order line counts."""
        return and_(
            self.of_products(table.c.sku, scope),
            self.during(table.c.at, scope),
            or_(table.c.refunded_at.is_(None), table.c.refunded_at > scope.moment()),
            *self._places(table),
        )

    def _places(self, table: FromClause) -> Iterator[ColumnElement[bool]]:
        if self.position is not None:
            yield place_of(table) == self.position
        if self.end is not None:
            yield table.c.side == self.end

    def _who(self, scope: Scope) -> CustomerIds:
        return select(lines.c.customer_id).where(self.rows(scope))

    def _who_having(self, scope: Scope, enough: ColumnElement[bool]) -> CustomerIds:
        return self._who(scope).group_by(lines.c.customer_id).having(enough)

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now) if self.least else None

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        if self.any:  # orders have an index of their times alone
            placed = select(orders.c.customer_id)
            return (
                *self.crossed(placed, orders.c.at, scope),
                select(lines.c.customer_id).where(scope.passed(lines.c.refunded_at)),
            )
        theirs = select(lines.c.customer_id).where(self.of_products(lines.c.sku, scope))
        return (
            *self.crossed(theirs, lines.c.at, scope),
            theirs.where(scope.passed(lines.c.refunded_at)),
        )

    def implies(self, other: Condition, scope: Scope) -> bool:
        if not isinstance(other, Bought) or other.at_most is not None:
            return False
        mine, theirs = set(self.skus(scope.catalogue)), set(other.skus(scope.catalogue))
        return (
            self.least >= max(other.least, 1)
            and self._pieces_suffice(other.quantity)
            and self.looser(other)
            and other.position in (None, self.position)
            and other.end in (None, self.end)
            and (other.any is not None or (self.any is None and bool(mine) and mine <= theirs))
        )

    def _pieces_suffice(self, wanted: Bounds | None) -> bool:
        """Whether at least as many pieces are asked for as are wanted."""
        if wanted is None or wanted.at_most is not None or wanted.at_least is None:
            return wanted is None
        mine = self.quantity.at_least if self.quantity else None
        return mine is not None and mine >= wanted.at_least

    def lasting(self) -> Rule | None:
        """So many orders and pieces or more; that it was not more, or not long ago, does not last."""
        pieces = self.quantity.at_least if self.quantity else None
        quantity = None if pieces is None else Bounds(at_least=pieces)
        words = {"within": None, "at_most": None, "at_least": self.least, "quantity": quantity}
        return self.model_copy(update=words) if self.least else None

    def sentence(self, scope: Scope) -> str:
        said = f"bought {self.named(scope.catalogue)}{self._said_places()}"
        if self.at_least is not None or self.at_most is not None:
            said += f" in {bounds(self.at_least, self.at_most, 'order')}"
        if self.quantity is not None:
            said += f", {self.quantity.say('piece')}"
        return said + self.when()

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        rows = and_(
            lines.c.customer_id == customer_id,
            self.of_products(lines.c.sku, scope),
            lines.c.at <= scope.moment(),
        )
        kept = or_(lines.c.refunded_at.is_(None), lines.c.refunded_at > scope.moment())
        counting = and_(kept, self.during(lines.c.at, scope), *self._places(lines))
        return select(
            func.count(lines.c.order_ref.distinct()).filter(counting).label("orders"),
            func.coalesce(func.sum(lines.c.quantity).filter(counting), 0).label("pieces"),
            func.max(lines.c.at, type_=lines.c.at.type).filter(kept).label("last"),
            func.max(lines.c.refunded_at, type_=lines.c.at.type).filter(~kept).label("refunded"),
        ).where(rows)

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        if row["last"] is None:
            refunded = row["refunded"]
            return f"bought, but refunded {ago(refunded, scope.now)}" if refunded else "never bought"
        pieces = f" ({times(int(row['pieces']), 'piece')})" if self.quantity else ""
        last = ago(row["last"], scope.now)
        counted = f"{times(row['orders'], 'order')}{pieces}{self._said_places()}{self.in_that_time()}"
        return f"{counted}, last {last}"

    def _said_places(self) -> str:
        """The position and the end in words, with a leading blank."""
        position = f" as {_AS[self.position]}" if self.position is not None else ""
        return position + (f" in the {self.end} end" if self.end is not None else "")


def place_of(table: FromClause) -> ColumnElement[str]:
    """SQL: the position of an order line, as its source told it, else as its transaction tells."""
    theirs = transactions.c.customer_id == table.c.customer_id
    opened = exists().where(theirs, transactions.c.first_order_ref == table.c.order_ref)
    before = exists().where(theirs, transactions.c.number == 1, transactions.c.opened_at <= table.c.at)
    added = and_(~opened.correlate(table), before.correlate(table))
    return case((table.c.position != "", table.c.position), (added, "upsell"), else_="core")
