"""The way of each visitor through the funnel, one row for each, in a temporary table.

A visitor is whoever was seen by a visit, a begun checkout or an offer; not by what a machine did, and not
who had bought before they were first seen. What they reached is kept as bits of one number, so that the
database counts ways, of which there are few, and not stages, one by one.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    case,
    cast,
    distinct,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)

from engine.clock import span
from engine.reports.front import front_money
from engine.reports.periods import Asked, span_of
from engine.reports.touch import BOT, by_people, first_devices, first_touches
from engine.rules.conditions.bought import place_of
from engine.settings.reports import Stage
from engine.store.dialect import gather_statistics, lay_out, memory_table
from engine.store.tables import consents, funnel_events, order_lines, transactions
from engine.store.types import Instant, RowId

SEEN_BY = ("visited", "checkout_started", "offer_shown", "offer_accepted", "offer_refused")
OFFERED_BY = SEEN_BY[2:]
VISITORS = memory_table(
    "visitors",
    [
        Column("customer_id", RowId, primary_key=True, autoincrement=False),
        Column("first_at", Instant, nullable=False),
        Column("ordered_at", Instant),
    ],
)
WALKS = memory_table(
    "walks",
    [
        Column("customer_id", RowId, primary_key=True, autoincrement=False),
        Column("first_at", Instant, nullable=False),
        Column("ordered_at", Instant),
        Column("period", Instant),
        Column("source", String, nullable=False),
        Column("campaign", String, nullable=False),
        Column("device", String, nullable=False),
        Column("reached", BigInteger, nullable=False),  # bits, see Bits
        Column("amount", BigInteger, nullable=False),  # of the first transaction, net
    ],
)
Rows = Select[*tuple[Any, ...]]


class Bits(NamedTuple):
    """The bit of each stage, and of offers two more: that somebody was shown it, and that a visit told so."""

    reached: Mapping[str, int]
    shown: Mapping[str, int]
    told: Mapping[str, int]

    @classmethod
    def of(cls, stages: Sequence[Stage]) -> "Bits":
        offers = [stage.name for stage in stages if stage.is_offer]
        return cls(
            {stage.name: 1 << place for place, stage in enumerate(stages)},
            {name: 1 << place for place, name in enumerate(offers, start=len(stages))},
            {name: 1 << place for place, name in enumerate(offers, start=len(stages) + len(offers))},
        )


def lay_visitors(connection: Connection, asked: Asked) -> datetime | None:
    """Lay out everybody first seen in the time asked about; says when the first of them was."""
    lay_out(connection, VISITORS)
    first = func.min(funnel_events.c.at)
    seen = _seen(asked.now).having(first < asked.until)
    seen = seen if asked.since is None else seen.having(first >= asked.since)
    connection.execute(insert(VISITORS).from_select(VISITORS.columns.keys(), _with_order(seen, asked.now)))
    gather_statistics(connection, VISITORS)
    earliest: datetime | None = connection.scalar(select(func.min(VISITORS.c.first_at, type_=Instant)))
    return earliest


def lay_walks(connection: Connection, stages: Sequence[Stage], now: datetime, window: timedelta) -> None:
    """Lay out the walk of each visitor, as known at `now`. Visitors and periods must be laid out before.

    An offer that is made later than `window` after the first order is of another one.
    """
    lay_out(connection, WALKS)
    connection.execute(insert(WALKS).from_select(WALKS.columns.keys(), _walks(now)))
    gather_statistics(connection, WALKS)
    marks = _marks(stages, now, window)
    connection.execute(
        update(WALKS).values(reached=marks.c.reached).where(WALKS.c.customer_id == marks.c.customer_id)
    )


def machines(connection: Connection, since: datetime, until: datetime) -> int:
    """How many were seen in that time as machines alone."""
    event, other = funnel_events, funnel_events.alias()
    as_person = exists().where(
        other.c.customer_id == event.c.customer_id,
        by_people(other),
        other.c.what.in_(SEEN_BY),
        other.c.at < until,
    )
    seen = (event.c.device == BOT, event.c.at >= since, event.c.at < until)
    asked = select(func.count(event.c.customer_id.distinct())).where(*seen, ~as_person.correlate(event))
    return connection.scalar(asked) or 0


def _seeing(now: datetime) -> ColumnElement[bool]:
    return and_(funnel_events.c.what.in_(SEEN_BY), by_people(), funnel_events.c.at <= now)


def _seen(now: datetime) -> Rows:
    event = funnel_events.c
    return (
        select(event.customer_id, func.min(event.at, type_=Instant).label("first_at"))
        .where(_seeing(now))
        .group_by(event.customer_id)
    )


def _with_order(seen: Rows, now: datetime) -> Rows:
    visitor, first = seen.subquery("seen"), transactions
    theirs = and_(first.c.customer_id == visitor.c.customer_id, first.c.number == 1, first.c.opened_at <= now)
    return select(visitor.c.customer_id, visitor.c.first_at, first.c.opened_at).outerjoin_from(
        visitor, first, theirs
    )


def bought_before(connection: Connection) -> int:
    """How many of those seen had bought before."""
    early = VISITORS.c.ordered_at < VISITORS.c.first_at
    return connection.scalar(select(func.count()).select_from(VISITORS).where(early)) or 0


def _walks(now: datetime) -> Rows:
    visitor = VISITORS
    touch = first_touches(visitor, func.coalesce(visitor.c.ordered_at, literal(now, Instant), type_=Instant))
    device, money = first_devices(visitor, now), front_money(now)
    joined = visitor
    for other in (touch, device, money):
        joined = joined.outerjoin(other, other.c.customer_id == visitor.c.customer_id)  # type: ignore[assignment]
    return (
        select(
            *(visitor.c.customer_id, visitor.c.first_at, visitor.c.ordered_at, span_of(visitor.c.first_at)),
            *(func.coalesce(column, "") for column in (touch.c.source, touch.c.campaign, device.c.device)),
            literal(0),
            case((visitor.c.ordered_at.is_not(None), func.coalesce(money.c.amount, 0)), else_=0),
        )
        .select_from(joined)
        .where(or_(visitor.c.ordered_at.is_(None), visitor.c.ordered_at >= visitor.c.first_at))
    )


def _marks(stages: Sequence[Stage], now: datetime, window: timedelta) -> Any:
    """SQL: customer_id and the bits of all that they reached."""
    bits = Bits.of(stages)
    found = (rows for stage in stages for rows in _reaching(stage, bits, now, window))
    every = union_all(*found).subquery("marks")
    # bits that are each a power of two: added up once each, they are all set
    reached = cast(func.sum(distinct(every.c.bit)), BigInteger).label("reached")
    return select(every.c.customer_id, reached).group_by(every.c.customer_id).subquery("reached")


def _reaching(stage: Stage, bits: Bits, now: datetime, window: timedelta) -> Iterator[Rows]:
    bit = bits.reached[stage.name]
    if stage.kind == "order":
        yield _marked(bit).where(WALKS.c.ordered_at.is_not(None))
    elif stage.is_offer:
        yield from _offered(stage, bits, now, window)
    else:
        yield from _on_the_way(stage, bit, now)


def _marked(bit: int) -> Rows:
    return select(WALKS.c.customer_id, literal(bit, BigInteger).label("bit"))


def _on_the_way(stage: Stage, bit: int, now: datetime) -> Iterator[Rows]:
    """Pages count up to the first order: who comes back to one as a customer is not lost there."""
    event, consent = funnel_events.c, consents.c
    before = func.coalesce(WALKS.c.ordered_at, literal(now, Instant), type_=Instant)
    visits = _marked(bit).join(funnel_events, event.customer_id == WALKS.c.customer_id)
    visits = visits.where(by_people(), event.at <= before)
    yield visits.where(event.what == "visited", event.stage == stage.name)
    if stage.kind == "order-form":
        yield visits.where(event.what == "checkout_started")
    if stage.kind == "opt-in":  # one that came with the order is none
        said = _marked(bit).join(consents, consent.customer_id == WALKS.c.customer_id)
        early = or_(WALKS.c.ordered_at.is_(None), consent.at < WALKS.c.ordered_at)
        yield said.where(consent.granted, consent.at >= WALKS.c.first_at, consent.at <= now, early)


def _offered(stage: Stage, bits: Bits, now: datetime, window: timedelta) -> Iterator[Rows]:
    """Who took it must have been shown it, whatever visits tell."""
    ordered, at = (type_coerce(at, BigInteger) for at in (WALKS.c.ordered_at, funnel_events.c.at))
    first = or_(WALKS.c.ordered_at.is_(None), at <= ordered + span(window))
    event, shown = funnel_events.c, bits.shown[stage.name]
    named = event.stage == stage.name
    about = and_(event.what.in_(OFFERED_BY), or_(named, event.sku == stage.sku) if stage.sku else named)
    page = and_(event.what == "visited", named)
    for bit in (shown, bits.told[stage.name]):
        visits = _marked(bit).join(funnel_events, event.customer_id == WALKS.c.customer_id)
        yield visits.where(by_people(), event.at <= now, first, or_(about, page))
    sold = WALKS.join(order_lines, order_lines.c.customer_id == WALKS.c.customer_id)
    for bit in (shown, bits.reached[stage.name]):
        yield _marked(bit).select_from(sold).where(*taken(stage, now))


def taken(stage: Stage, now: datetime) -> Iterator[ColumnElement[bool]]:
    """SQL: the order line, of the first transaction, is this offer taken."""
    line = order_lines
    yield and_(line.c.side == "front", line.c.at <= now, place_of(line) == stage.kind)
    if stage.sku:
        yield line.c.sku == stage.sku
