"""What `owned` means of a subscription, in templates and of offers: a person has it now. No word of rules."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, and_, or_, select

from engine.rules.conditions.bought import Bought
from engine.rules.model import Condition, Customer, CustomerIds, Rows, Scope
from engine.rules.standing import known, running
from engine.store.tables import customers, subscriptions


class Owned(Condition):
    """Has a subscription: it runs. Where nothing is known of how it stands, the purchase decides.

    It runs while active or past due, and after a cancellation until its end. With words beside the
    product a purchase must be as they say, too.
    """

    key: ClassVar[str] = "owned"
    summary: ClassVar[str] = "has a subscription now"

    bought: Bought

    @property
    def plain(self) -> bool:
        """Whether nothing is said but the product."""
        return self.bought == Bought(product=self.bought.product)

    @property
    def product(self) -> str:
        return self.bought.product or ""

    def test(self, scope: Scope) -> ColumnElement[bool]:
        runs = running(scope.person, self.product, scope.moment())
        unknown = ~known(scope.person, self.product, scope.moment())
        if self.plain:
            return or_(runs, and_(self.bought.test(scope), unknown))
        return and_(self.bought.test(scope), or_(runs, unknown))

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        theirs = select(subscriptions.c.customer_id).where(subscriptions.c.sku == self.product)
        moved = [theirs.where(scope.passed(subscriptions.c[name])) for name in ("at", "until", "ends_at")]
        return (*self.bought.crossings(scope), *moved)

    def implies(self, other: Condition, scope: Scope) -> bool:
        if self == other:
            return True
        theirs = other.bought if isinstance(other, Owned) else other
        return not self.plain and self.bought.implies(theirs, scope)

    def sentence(self, scope: Scope) -> str:
        if self.plain:
            return f"has {self.bought.named(scope.catalogue)} now"
        return f"{self.bought.sentence(scope)}, and has it now"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        return select(self.test(scope).label("has")).where(customers.c.customer_id == customer_id)

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        return "has it" if row["has"] else "does not have it"
