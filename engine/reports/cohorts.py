"""Customers by the traffic that first brought them and the month of their first paid order, and their money.

Ages are elapsed days from a customer's first paid order: what happened before they were 30 days old counts
at 30 days. Refunds and credits count at their own age.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Double,
    FromClause,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)

from engine.reports.front import front_money
from engine.reports.periods import Asked, midnight, span_of
from engine.reports.touch import first_touches
from engine.store.dialect import gather_statistics, lay_out, memory_table
from engine.store.tables import order_lines, orders, refunds, spend, transactions
from engine.store.types import Instant, RowId

By = Literal["source", "campaign", "ad"]
NAMES: Sequence[By] = ("source", "campaign", "ad")  # what a traffic is told by, up to the one asked for
DAY = 86_400_000_000
BUYERS = memory_table(
    "buyers",
    [
        Column("customer_id", RowId, primary_key=True, autoincrement=False),
        Column("opened_at", Instant, nullable=False),
    ],
)
COHORTS = memory_table(
    "cohorts",
    [
        Column("customer_id", RowId, primary_key=True, autoincrement=False),
        Column("opened_at", Instant, nullable=False),
        Column("period", Instant),
        Column("source", String, nullable=False),
        Column("campaign", String, nullable=False),
        Column("ad", String, nullable=False),
        Column("paid_for", Boolean, nullable=False),  # by an advertisement that spend tells of
    ],
)
Rows = Select[*tuple[Any, ...]]


class Traffic(NamedTuple):
    """What a line of the report is about: a source, with campaign and ad where these are asked for.

    Customers of a source that came by no campaign with spend stand apart, for nothing was paid for them.
    """

    names: tuple[str, ...]
    paid_for: bool

    @property
    def known(self) -> bool:
        return any(self.names)


class Costs(NamedTuple):
    """What some traffic cost on a day."""

    traffic: Traffic
    day: Any
    amount: int


class Come(NamedTuple):
    """Customers of a month: how many, and what their first transactions came to."""

    traffic: Traffic
    period: datetime
    customers: int
    front: int


class Paid(NamedTuple):
    """What the customers of a month paid at an age in whole days, net."""

    period: datetime
    age: int
    amount: int


class Spread(NamedTuple):
    """What each customer of a month had paid by the age that is asked for: the sum of squares."""

    traffic: Traffic
    period: datetime
    squares: float


class Sold(NamedTuple):
    """What was sold of a product, without what was refunded in full."""

    traffic: Traffic
    sku: str
    amount: int
    pieces: int


def lay_cohorts(connection: Connection, asked: Asked) -> None:
    """Lay out whose first paid order lies in the time asked about. `periods` must be laid out before."""
    lay_out(connection, BUYERS, COHORTS)
    first = transactions.c
    theirs = select(first.customer_id, first.opened_at).where(
        first.number == 1, first.opened_at >= asked.since, first.opened_at < asked.until
    )
    connection.execute(insert(BUYERS).from_select(BUYERS.columns.keys(), theirs))
    gather_statistics(connection, BUYERS)
    connection.execute(insert(COHORTS).from_select(COHORTS.columns.keys(), _cohorts()))
    gather_statistics(connection, COHORTS)


def _cohorts() -> Rows:
    """Who came by what spend does not tell apart is of what it tells: of the campaign, or of the source."""
    touch = first_touches(BUYERS, BUYERS.c.opened_at)
    joined = BUYERS.outerjoin(touch, touch.c.customer_id == BUYERS.c.customer_id)
    names: list[ColumnElement[Any]] = [func.coalesce(touch.c.source, "")]
    paid_for = []
    for by in NAMES[1:]:
        name: ColumnElement[Any] = func.coalesce(touch.c[by], "")
        itself, whole = _told(by, f"its_{by}"), _told(by, f"whole_{by}")
        joined = joined.outerjoin(itself, _is(itself, [*names, name]))
        joined = joined.outerjoin(whole, _is(whole, [*names, literal("")]))
        known, covered = itself.c.source.is_not(None), whole.c.source.is_not(None)
        names.append(case((known, name), (covered, ""), else_=name))
        paid_for.append(known | covered)
    columns = (BUYERS.c.customer_id, BUYERS.c.opened_at, span_of(BUYERS.c.opened_at))
    return select(*columns, *names, paid_for[0]).select_from(joined)


def _told(by: By, name: str) -> Subquery:
    """SQL: the traffic that spend tells of, each once."""
    return select(*_names(spend, by)).distinct().subquery(name)


def _is(told: Subquery, names: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    return and_(*(column == name for column, name in zip(told.c, names, strict=True)))


def first_customer(connection: Connection) -> datetime | None:
    """When the first paid order of all was placed; None where none was."""
    first = transactions.c
    found: datetime | None = connection.scalar(
        select(func.min(first.opened_at, type_=Instant)).where(first.number == 1)
    )
    return found


def first_spend(connection: Connection) -> Any:
    """The first day of which spend is known; None where none is."""
    return connection.scalar(select(func.min(spend.c.day, type_=Date)))


def costs(connection: Connection, by: By, zone: ZoneInfo, asked: Asked) -> Iterator[Costs]:
    """By traffic and day, of the days that begin in the time asked about."""
    assert asked.since is not None  # noqa: S101 - who asks has found out
    names, day = _names(spend, by), spend.c.day
    first, last = (at.astimezone(zone).date() for at in (asked.since, asked.until))
    rows = select(*names, day, func.sum(spend.c.amount)).where(day >= first, day <= last)
    for *traffic, when, amount in connection.execute(rows.group_by(*names, day)):
        if asked.since <= midnight(when, zone) < asked.until:
            yield Costs(Traffic(tuple(traffic), paid_for=True), when, int(amount))


def come(connection: Connection, by: By, now: datetime) -> Iterator[Come]:
    """How many customers came by each traffic in each month, and what they paid at first."""
    money = front_money(now)
    group = _group(by)
    joined = COHORTS.outerjoin(money, money.c.customer_id == COHORTS.c.customer_id)
    asked = select(*group, COHORTS.c.period, func.count(), func.coalesce(func.sum(money.c.amount), 0))
    rows = connection.execute(asked.select_from(joined).group_by(*group, COHORTS.c.period))
    for *traffic, period, customers, front in rows:
        yield Come(_traffic(traffic), period, customers, int(front))


def paid(connection: Connection, by: By, now: datetime) -> Iterator[tuple[Traffic, Iterator[Paid]]]:
    """What the customers of each traffic paid, by month and age; one traffic after the other."""
    group = _group(by)
    moved = _moved(now)
    age = _age(moved.c.at)
    asked = (
        select(*group, COHORTS.c.period, age.label("age"), func.sum(moved.c.amount))
        .join(moved, moved.c.customer_id == COHORTS.c.customer_id)
        .group_by(*group, COHORTS.c.period, age)
        .order_by(*group)
    )
    rows = connection.execute(asked, execution_options={"yield_per": 1_000})
    for traffic, theirs in groupby(rows, lambda row: _traffic(row[:-3])):
        yield traffic, (Paid(row[-3], int(row[-2]), int(row[-1])) for row in theirs)


def spread(connection: Connection, by: By, now: datetime, days: int) -> Iterator[Spread]:
    """How unlike each other the customers of each traffic and month are, by that age."""
    moved = _moved(now)
    each = (
        select(COHORTS.c.customer_id, func.sum(moved.c.amount).label("amount"))
        .join(moved, moved.c.customer_id == COHORTS.c.customer_id)
        .where(moved.c.at < COHORTS.c.opened_at + literal(days * DAY, BigInteger))
        .group_by(COHORTS.c.customer_id)
        .subquery("each_one")
    )
    group = _group(by)
    amount = cast(each.c.amount, Double)
    asked = select(*group, COHORTS.c.period, func.sum(amount * amount)).join(
        each, each.c.customer_id == COHORTS.c.customer_id
    )
    for *traffic, period, squares in connection.execute(asked.group_by(*group, COHORTS.c.period)):
        yield Spread(_traffic(traffic), period, float(squares))


def sold(connection: Connection, by: By, now: datetime) -> Iterator[Sold]:
    """What the customers of each traffic bought, by product."""
    line, group = order_lines.c, _group(by)
    kept = or_(line.refunded_at.is_(None), line.refunded_at > now)
    asked = (
        select(*group, line.sku, func.sum(line.amount), func.sum(line.quantity))
        .join(COHORTS, COHORTS.c.customer_id == line.customer_id)
        .where(line.at <= now, kept)
    )
    for *traffic, sku, amount, pieces in connection.execute(asked.group_by(*group, line.sku)):
        yield Sold(_traffic(traffic), sku, int(amount), int(pieces))


def _moved(now: datetime) -> Subquery:
    """SQL: customer_id, time and amount of all money that moved: paid orders, refunds, credits."""
    order, back = orders.c, refunds.c
    placed = select(order.customer_id, order.at, order.amount).where(order.paid, order.at <= now)
    went = select(back.customer_id, back.at, -back.amount).where(back.at <= now)
    return union_all(placed, went).subquery("moved")


def _age(at: ColumnElement[Any]) -> ColumnElement[Any]:
    """SQL: whole days since the first paid order; what came before it counts on its day."""
    elapsed = type_coerce(at, BigInteger) - type_coerce(COHORTS.c.opened_at, BigInteger)
    return case((elapsed < 0, 0), else_=elapsed // literal(DAY, BigInteger))


def _names(table: FromClause, by: By) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in NAMES[: NAMES.index(by) + 1]]


def _group(by: By) -> list[ColumnElement[Any]]:
    return [*_names(COHORTS, by), COHORTS.c.paid_for]


def _traffic(row: Sequence[Any]) -> Traffic:
    return Traffic(tuple(row[:-1]), bool(row[-1]))
