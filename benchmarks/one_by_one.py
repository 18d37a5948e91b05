"""The same rules as a loop: each customer an object, each of their facts fetched when it is looked at.

This is how campaign tools on an ORM judge: the rules stand in Python, and read well.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, relationship

from benchmarks.shop import NOW
from engine.store import tables

PHYSICAL = {"basket", "blade", "jar", "iron-pot", "flour"}
COURSES = {"flagship", "dark-rye"}


class Base(DeclarativeBase):
    """What is mapped lies in the engine's own tables."""


class Order(Base):
    __table__ = tables.orders

    at: Mapped[datetime]
    paid: Mapped[bool]
    amount: Mapped[int]
    refunded_at: Mapped[datetime | None]

    def counts(self) -> bool:
        return self.paid and self.amount > 0 and self.at <= NOW and kept(self)


class Line(Base):
    __table__ = tables.order_lines

    order_ref: Mapped[str]
    sku: Mapped[str]
    at: Mapped[datetime]
    refunded_at: Mapped[datetime | None]


class Refund(Base):
    __table__ = tables.refunds

    at: Mapped[datetime]
    amount: Mapped[int]


class Use(Base):
    __table__ = tables.consumption

    sku: Mapped[str]
    unit: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]


class Attribute(Base):
    __table__ = tables.attributes

    name: Mapped[str]
    at: Mapped[datetime]
    value: Mapped[str]


class Customer(Base):
    __table__ = tables.customers

    customer_id: Mapped[int]
    orders: Mapped[list[Order]] = relationship(
        primaryjoin=tables.customers.c.customer_id == foreign(tables.orders.c.customer_id), viewonly=True
    )
    lines: Mapped[list[Line]] = relationship(
        primaryjoin=tables.customers.c.customer_id == foreign(tables.order_lines.c.customer_id), viewonly=True
    )
    refunds: Mapped[list[Refund]] = relationship(
        primaryjoin=tables.customers.c.customer_id == foreign(tables.refunds.c.customer_id), viewonly=True
    )
    uses: Mapped[list[Use]] = relationship(
        primaryjoin=tables.customers.c.customer_id == foreign(tables.consumption.c.customer_id), viewonly=True
    )
    attributes: Mapped[list[Attribute]] = relationship(
        primaryjoin=tables.customers.c.customer_id == foreign(tables.attributes.c.customer_id), viewonly=True
    )

    def bought(self, skus: set[str], *, older_than: int = 0, within: int | None = None) -> list[Line]:
        return [
            line
            for line in self.lines
            if line.sku in skus and kept(line) and during(line.at, older_than, within)
        ]

    def used(self, skus: set[str], within: int | None = None) -> list[Use]:
        return [
            use
            for use in self.uses
            if use.sku in skus and use.kind != "started" and during(use.at, 0, within)
        ]

    def completed(self, sku: str, units: int) -> bool:
        done = {use.unit for use in self.used({sku}) if use.kind == "completed"}
        return "" in done or len(done) >= units

    def ordered(self, within: int) -> list[Order]:
        return [order for order in self.orders if order.counts() and during(order.at, 0, within)]

    def spent(self, within: int | None = None) -> int:
        paid = sum(order.amount for order in self.orders if order.paid and during(order.at, 0, within))
        return paid - sum(refund.amount for refund in self.refunds if during(refund.at, 0, within))

    def attribute(self, name: str) -> str:
        values = [(each.at, each.value) for each in self.attributes if each.name == name and each.at <= NOW]
        return max(values)[1] if values else ""


def kept(thing: Order | Line) -> bool:
    return thing.refunded_at is None or thing.refunded_at > NOW


def during(at: datetime, older_than: int, within: int | None) -> bool:
    return at <= NOW - timedelta(days=older_than) and (within is None or at >= NOW - timedelta(days=within))


def offer_the_course(customer: Customer) -> bool:
    guide = customer.bought({"starter-guide"}, older_than=3, within=120)
    return bool(guide) and customer.completed("starter-guide", 4) and not customer.bought({"flagship"})


def stalled_learner(customer: Customer) -> bool:
    if not customer.bought({"flagship"}, older_than=14):
        return False
    began = [
        use for use in customer.used({"flagship"}, 365) if (use.unit, use.kind) == ("lesson-1", "completed")
    ]
    return bool(began) and not customer.used({"flagship"}, 14) and not customer.completed("flagship", 12)


def lapsed(customer: Customer) -> bool:
    last = max((order.at for order in customer.orders if order.counts()), default=None)
    return last is not None and during(last, 120, 365)


def big_spenders(customer: Customer) -> bool:
    return customer.spent(365) >= 300_00


def frequent(customer: Customer) -> bool:
    return len(customer.ordered(365)) >= 3


def collectors(customer: Customer) -> bool:
    return len({line.order_ref for line in customer.bought(PHYSICAL)}) >= 3


def only_the_tripwire(customer: Customer) -> bool:
    return bool(customer.bought({"starter-guide"})) and not customer.bought({*COURSES, "membership"})


def regulars_without_a_course(customer: Customer) -> bool:
    regular = frequent(customer) and customer.spent() >= 100_00
    return regular and not (customer.bought(COURSES) and customer.used(COURSES, 30))


def weekly_and_recent(customer: Customer) -> bool:
    return customer.attribute("bakes") == "weekly" and bool(customer.ordered(90))


JUDGES: Mapping[str, Callable[[Customer], bool]] = {
    judge.__name__.replace("_", "-"): judge
    for judge in (
        offer_the_course,
        stalled_learner,
        lapsed,
        big_spenders,
        frequent,
        collectors,
        only_the_tripwire,
        regulars_without_a_course,
        weekly_and_recent,
    )
}
