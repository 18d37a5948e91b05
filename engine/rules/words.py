"""The words that conditions share: time, numbers, which products."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator
from sqlalchemy import ColumnElement, and_, or_, true

from engine.clock import Duration, InstantField, format_duration
from engine.facts.catalogue import Catalogue, Kind, Product
from engine.registry import did_you_mean
from engine.rules.model import Complaint, CustomerIds, Scope

REFERENCE = "x-ref"  # in a JSON Schema: to a definition that pydantic does not know, made a $ref later
MOST = 1_000_000_000  # of anything counted or paid
Position = Literal["core", "bump", "upsell", "downsell"]


class Words(BaseModel):
    """Some of the words of a condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeWords(Words):
    """When the fact happened. Both ends belong to the span; nothing after the instant asked about counts."""

    within: Duration | None = Field(None, description="at or after now minus this")
    older_than: Duration | None = Field(None, description="at or before now minus this")
    since: InstantField | None = Field(None, description="at or after this instant")
    until: InstantField | None = Field(None, description="at or before this instant")

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if self.within is not None and self.older_than is not None and self.older_than > self.within:
            msg = "older_than is longer than within, so this can never hold"
            raise ValueError(msg)
        if self.since is not None and self.until is not None and self.since > self.until:
            msg = "since is later than until, so this can never hold"
            raise ValueError(msg)
        return self

    def span(self, now: datetime) -> tuple[datetime | None, datetime]:
        """The first and the last instant that count, as of now."""
        firsts = [now - self.within if self.within is not None else None, self.since]
        lasts = [now - self.older_than if self.older_than is not None else now, self.until, now]
        first = max((instant for instant in firsts if instant is not None), default=None)
        return first, min(instant for instant in lasts if instant is not None)

    def during(self, at: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
        """SQL: the fact's time lies in the span, and after the scope's own start if it has one."""
        tests = [at <= scope.moment(-(self.older_than or timedelta(0)))]
        tests += [at >= scope.moment(-self.within)] if self.within is not None else []
        tests += [at >= self.since] if self.since is not None else []
        tests += [at <= self.until] if self.until is not None else []
        tests += [at > scope.after] if scope.after is not None else []
        return and_(*tests)

    def before(self, at: ColumnElement[Any], scope: Scope) -> ColumnElement[bool] | None:
        """SQL: the fact's time lies before the span; None where the span has no beginning."""
        tests = [at < scope.moment(-self.within)] if self.within is not None else []
        tests += [at < self.since] if self.since is not None else []
        return or_(*tests) if tests else None

    def behind(self, at: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
        """SQL: the fact's time lies behind the span, perhaps after now."""
        tests = [at > scope.moment(-(self.older_than or timedelta(0)))]
        tests += [at > self.until] if self.until is not None else []
        return or_(*tests)

    def length(self, now: datetime) -> timedelta | None:
        """How long the span is; None where it has no beginning."""
        first, last = self.span(now)
        return None if first is None else last - first

    def edges(self) -> Iterator[timedelta]:
        """The ages at which a fact starts or stops to count."""
        yield timedelta(0)
        yield from (edge for edge in (self.within, self.older_than) if edge is not None)

    def crossed(self, facts: CustomerIds, at: ColumnElement[Any], scope: Scope) -> list[CustomerIds]:
        """The facts that since the scope's last look came to an age where they start or stop to count.

        A query for each age: each is a range of an index, where their union would be a scan.
        """
        return [facts.where(scope.passed(at, -edge)) for edge in self.edges()]

    def looser(self, other: "TimeWords") -> bool:
        """Whether everything in this span also lies in the other's, whenever one asks."""
        return (
            _no_more(self.within, other.within)
            and _no_more(other.older_than or timedelta(0), self.older_than or timedelta(0))
            and (other.since is None or (self.since is not None and self.since >= other.since))
            and (other.until is None or (self.until is not None and self.until <= other.until))
        )

    def when(self) -> str:
        """The span in words, with a leading blank: ` at most 60 days ago`."""
        said = []
        if self.within is not None and self.older_than is not None:
            said.append(f"between {days(self.older_than)} and {days(self.within)} ago")
        elif self.within is not None:
            said.append(f"at most {days(self.within)} ago")
        elif self.older_than is not None:
            said.append(f"at least {days(self.older_than)} ago")
        said += [f"since {self.since:%Y-%m-%d %H:%M}Z"] if self.since else []
        said += [f"until {self.until:%Y-%m-%d %H:%M}Z"] if self.until else []
        return "".join(f" {part}" for part in said)

    def in_that_time(self) -> str:
        """What is counted of a person within the span says so, with a leading blank."""
        return " in that time" if self.when() else ""


def _no_more(mine: timedelta | None, theirs: timedelta | None) -> bool:
    return theirs is None or (mine is not None and mine <= theirs)


class Bounds(Words):
    """How much: at least, at most, or both."""

    at_least: Decimal | None = Field(None, ge=-MOST, le=MOST, description="this or more")
    at_most: Decimal | None = Field(None, ge=-MOST, le=MOST, description="this or less")

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if self.at_least is None and self.at_most is None:
            msg = "write at_least, at_most or both"
            raise ValueError(msg)
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            msg = "at_least is more than at_most, so this can never hold"
            raise ValueError(msg)
        return self

    def say(self, noun: str = "") -> str:
        return bounds(self.at_least, self.at_most, noun)


class CountWords(Words):
    """How many orders. `at_most` includes none; nothing said means at least one."""

    at_least: StrictInt | None = Field(None, ge=1, le=MOST, description="so many orders or more")
    at_most: StrictInt | None = Field(
        None, ge=0, le=MOST, description="so many orders or fewer; none is fewer, too"
    )

    @model_validator(mode="after")
    def _count_can_hold(self) -> Self:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            msg = "at_least is more than at_most, so this can never hold"
            raise ValueError(msg)
        return self

    @property
    def least(self) -> int:
        """The smallest count that holds."""
        return self.at_least if self.at_least is not None else (0 if self.at_most is not None else 1)


class ProductWords(Words):
    """Which products: one by its sku, or all of a kind, category or tag."""

    product: str | None = Field(None, description="one product, by its sku")
    kind: Kind | None = Field(None, description="all products of this kind")
    category: str | None = Field(None, description="all products of this category")
    tag: str | None = Field(None, description="all products that carry this tag")

    def chooses_products(self) -> bool:
        return any(word is not None for word in (self.product, self.kind, self.category, self.tag))

    def fits(self, product: Product) -> bool:
        return (
            self.product in (None, product.sku)
            and self.kind in (None, product.kind)
            and self.category in (None, product.category)
            and (self.tag is None or self.tag in product.tags)
        )

    def skus(self, catalogue: Catalogue) -> list[str]:
        """The products meant; a named one counts whether or not the catalogue has it."""
        if self.product is not None and self.product not in catalogue:
            return [self.product]
        return [product.sku for product in catalogue.values() if self.fits(product)]

    def of_products(self, sku: ColumnElement[str], scope: Scope) -> ColumnElement[bool]:
        """SQL: the row is about one of these products."""
        if not self.chooses_products():
            return true()
        skus = self.skus(scope.catalogue)
        return sku == skus[0] if len(skus) == 1 else sku.in_(skus)

    def named(self, catalogue: Catalogue) -> str:
        """These products in words."""
        if self.product is not None:
            return catalogue[self.product].name if self.product in catalogue else self.product
        said = [f"{name} {word!r}" for name, word in self._groups()]
        return f"something of {' and '.join(said)}" if said else "anything"

    def product_complaints(self, catalogue: Catalogue) -> Iterator[Complaint]:
        if self.product is not None and self.product not in catalogue:
            hint = did_you_mean(self.product, catalogue) or "add it to campaigns/products.yaml"
            yield Complaint("product", f"unknown product {self.product!r}", hint)
        elif self.chooses_products() and not self.skus(catalogue):
            yield from self._nothing_fits(catalogue)

    def _nothing_fits(self, catalogue: Catalogue) -> Iterator[Complaint]:
        groups = self._groups()
        unheard = [(word, value) for word, value in groups if value not in _known(word, catalogue)]
        for word, value in unheard:
            yield Complaint(
                word, f"no product has {word} {value!r}", did_you_mean(value, _known(word, catalogue))
            )
        if not unheard:
            words = " and ".join(f"{word} {value!r}" for word, value in groups)
            yield Complaint(groups[0][0], f"no product has {words} together")

    def _groups(self) -> Sequence[tuple[str, str]]:
        """The words said that choose a group of products, with their values."""
        words = (("kind", self.kind), ("category", self.category), ("tag", self.tag))
        return [(word, value) for word, value in words if value is not None]


def _known(word: str, catalogue: Catalogue) -> set[str]:
    if word == "tag":
        return {tag for product in catalogue.values() for tag in product.tags}
    return {str(getattr(product, word)) for product in catalogue.values()} - {""}


def bounds(at_least: Any, at_most: Any, noun: str = "") -> str:
    """Two bounds in words: `at least 1 order`, `between 2 and 5`, `at most 5`."""
    last = at_least if at_most is None else at_most
    of = f" {several(last, noun)}" if noun else ""
    if at_least is not None and at_most is not None:
        return f"exactly {last}{of}" if at_least == at_most else f"between {at_least} and {last}{of}"
    return f"at least {last}{of}" if at_least is not None else f"at most {last}{of}"


def days(duration: timedelta) -> str:
    """A duration in words: `3 days`, `1 day`, `90m`."""
    whole, rest = divmod(duration, timedelta(days=1))
    if rest or not whole:
        return format_duration(duration)
    return "1 day" if whole == 1 else f"{whole} days"


def ago(at: datetime | None, now: datetime) -> str:
    """An instant as people tell it: `2026-02-03 (35 days ago)`."""
    if at is None:
        return "never"
    passed = (now.date() - at.date()).days  # by the days that are named
    said = "today" if passed == 0 else f"{passed} day{'s' if passed != 1 else ''} ago"
    return f"{at:%Y-%m-%d} ({said})"


def times(count: int, noun: str) -> str:
    """`1 order`, `3,000 orders`."""
    return f"{count:,} {several(count, noun)}"


def several(count: Any, noun: str) -> str:
    """The noun as it is said of so many."""
    return noun if count == 1 else f"{noun}s"


def them(count: int) -> str:
    """So many, spoken of once more."""
    return "it" if count == 1 else "them"


def heads(count: int) -> str:
    """`1 person`, `3,000 people`."""
    return f"{count:,} {'person' if count == 1 else 'people'}"
