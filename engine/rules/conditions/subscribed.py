"""`subscribed`: how a subscription stands now, and when it came to stand so."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, FromClause, and_, exists, select

from engine.clock import Duration
from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rules.conditions.owned import Owned
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Scope, looking_at
from engine.rules.standing import beginning, first_within, in_force
from engine.rules.words import TimeWords, ago, days
from engine.store.tables import subscriptions

Status = Literal["active", "past_due", "cancelled", "expired"]
ACTIVE: tuple[Status, ...] = ("active",)
RUNNING: Set[Status] = {"active", "past_due"}
OVER: tuple[Status, ...] = ("cancelled", "expired")
_SAID: Mapping[Status, str] = {
    "active": "subscribed to {}",
    "past_due": "past due with {}",
    "cancelled": "cancelled {}",
    "expired": "let {} run out",
}


class Subscribed(Condition, TimeWords):
    """Has a subscription that stands so now: active, unless another `status` is said.

    A subscription stands as its last change says. It expires when its end comes, though no file said
    so. The time words ask since when it has stood so; a renewal does not begin that anew.
    `cancelled_within` holds for what was cancelled, whether it has run out by now, or had before. A
    cancellation that is told again happened when it was told first.
    """

    key: ClassVar[str] = "subscribed"
    summary: ClassVar[str] = "has a subscription that stands so now"

    product: str = Field(description="the subscription's product, by its sku")
    status: Status | None = Field(
        None, description="how it stands; `active` where nothing is said, either end with `cancelled_within`"
    )
    renews_within: Duration | None = Field(
        None, description="active, and it renews later than now, at or before now plus this"
    )
    cancelled_within: Duration | None = Field(
        None, description="cancelled or run out, and the cancellation was at or after now minus this"
    )

    @model_validator(mode="after")
    def _can_be_so(self) -> Self:
        if self.renews_within is not None and self.cancelled_within is not None:
            msg = "what was cancelled does not renew; say renews_within or cancelled_within"
            raise ValueError(msg)
        if self.renews_within is not None and self.status not in (None, "active"):
            msg = "renews_within is about an active subscription; leave status out"
            raise ValueError(msg)
        if self.renews_within == timedelta(0):
            msg = "renews_within: 0 can never hold; say how far to look ahead, such as 7d"
            raise ValueError(msg)
        if self.cancelled_within is not None and self.status not in (None, *OVER):
            msg = "cancelled_within goes with status: cancelled or expired, or without a status"
            raise ValueError(msg)
        return self

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        if self.product not in catalogue:
            hint = did_you_mean(self.product, catalogue) or "add it to campaigns/products.yaml"
            yield Complaint("product", f"unknown product {self.product!r}", hint)
        elif catalogue[self.product].kind != "subscription":
            kind = catalogue[self.product].kind
            hint = "give it `kind: subscription` in campaigns/products.yaml, or ask whether it was bought"
            yield Complaint("product", f"{self.product!r} is no subscription but of kind {kind!r}", hint)

    @property
    def statuses(self) -> tuple[Status, ...]:
        """How it may stand."""
        if self.status is not None:
            return (self.status,)
        return OVER if self.cancelled_within is not None else ACTIVE

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return scope.among(select(subscriptions.c.customer_id).where(*self._stands(scope)))

    def _stands(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        """SQL tests of a change: it is in force, and is what is asked for."""
        row = subscriptions.c
        yield self._is(subscriptions, self.statuses)
        yield in_force(subscriptions, scope.moment())
        if self.renews_within is not None:
            yield and_(row.renews_at > scope.moment(), row.renews_at <= scope.moment(self.renews_within))
        if self.cancelled_within is not None:
            since = scope.moment(-self.cancelled_within)
            yield self._cancellation() >= since
        if self._says_since_when():
            first, began = beginning(subscriptions, partial(self._is, statuses=self.statuses))
            since_when = exists().where(began, self.during(first.c.at, scope))
            yield since_when.correlate(subscriptions, *scope.outer)
        if scope.after is not None:
            yield row.at > scope.after

    def _is(self, change: FromClause, statuses: Sequence[Status]) -> ColumnElement[bool]:
        status = change.c.status
        so = status == statuses[0] if len(statuses) == 1 else status.in_(statuses)
        return and_(change.c.sku == self.product, so)

    def _says_since_when(self) -> bool:
        return any(getattr(self, word) is not None for word in TimeWords.model_fields)

    def reach(self, scope: Scope) -> timedelta | None:
        reaches = (self.length(scope.now), self.renews_within, self.cancelled_within)
        return min((reach for reach in reaches if reach is not None), default=None)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        """Changes that came to an age, changes that gave way to others, renewals that came into sight."""
        row = subscriptions.c
        theirs = select(row.customer_id).where(row.sku == self.product)
        changed = self.crossed(theirs, row.at, scope)
        return (*changed, *(theirs.where(moved) for moved in self._moved(scope)))

    def _moved(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        row = subscriptions.c
        yield scope.passed(row.until)
        if self.renews_within is not None:
            yield scope.passed(row.renews_at)
            yield scope.passed(row.renews_at, self.renews_within)
        if self.cancelled_within is not None:
            yield scope.passed(row.at, -self.cancelled_within)

    def implies(self, other: Condition, scope: Scope) -> bool:
        if isinstance(other, Owned):
            return other.plain and other.product == self.product and set(self.statuses) <= RUNNING
        if not isinstance(other, Subscribed) or other.product != self.product:
            return False
        same = self.statuses == other.statuses
        return (
            set(self.statuses) <= set(other.statuses)
            and (same or not other._says_since_when())  # noqa: SLF001 - of the same class
            and self.looser(other)
            and _within(self.renews_within, other.renews_within)
            and _within(self.cancelled_within, other.cancelled_within)
        )

    def sentence(self, scope: Scope) -> str:
        product = scope.catalogue.get(self.product)
        name = product.name if product else self.product
        if self.cancelled_within is not None and self.status is None:
            return f"cancelled {name} at most {days(self.cancelled_within)} ago"
        said = _SAID[self.statuses[0]].format(name) + self.when()
        if self.renews_within is not None:
            said += f", which renews in the next {days(self.renews_within)}"
        if self.cancelled_within is not None:
            said += f", having cancelled it at most {days(self.cancelled_within)} ago"
        return said

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        """Of several subscriptions one that stands so, else the one that changed last."""
        row = subscriptions.c
        theirs = (
            select(
                row.status, row.renews_at, row.ends_at, self._since(), self._cancellation().label("cancelled")
            )
            .where(row.customer_id == customer_id, row.sku == self.product)
            .where(in_force(subscriptions, scope.moment()))
            .order_by(self._is(subscriptions, self.statuses).desc(), row.at.desc(), row.subscription_ref)
            .limit(1)
        )
        one = looking_at(customer_id, theirs).subquery()
        return select(*(select(column).scalar_subquery().label(column.name) for column in one.c))

    def _since(self) -> ColumnElement[Any]:
        """SQL: since when the subscription has had the status it has."""
        row = subscriptions.c
        first, began = beginning(
            subscriptions, lambda change: and_(change.c.sku == row.sku, change.c.status == row.status)
        )
        return select(first.c.at).where(began).scalar_subquery().label("since")

    def _cancellation(self) -> ColumnElement[Any]:
        """SQL: when the subscription was cancelled, before or after it ran out; first, if told again."""
        return first_within(
            subscriptions, partial(self._is, statuses=OVER), lambda change: change.c.status == "cancelled"
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        status, now = row["status"], scope.now
        if status is None:
            return "never subscribed"
        since = ago(row["since"], now)
        if status in ("active", "past_due"):
            renews = f", renews {_ahead(row['renews_at'], now)}" if row["renews_at"] else ""
            return f"{status.replace('_', ' ')} since {since}{renews}"
        if status == "cancelled":
            ends = f", ends {_ahead(row['ends_at'], now)}" if row["ends_at"] else ""
            again = f", and told so again {since}" if row["cancelled"] < row["since"] else ""
            return f"cancelled {ago(row['cancelled'], now)}{again}{ends}"
        cancelled = f"cancelled {ago(row['cancelled'], now)}, " if row["cancelled"] else ""
        return f"{cancelled}expired {since}"


def _within(mine: timedelta | None, theirs: timedelta | None) -> bool:
    return theirs is None or (mine is not None and mine <= theirs)


def _ahead(at: datetime, now: datetime) -> str:
    """An instant to come, as people tell it: `2026-03-14 (in 4 days)`."""
    left = (at - now) // timedelta(days=1)
    if at <= now:
        return f"{at:%Y-%m-%d} (due)"
    return f"{at:%Y-%m-%d} ({f'in {left} day' + ('s' if left != 1 else '') if left else 'within a day'})"
