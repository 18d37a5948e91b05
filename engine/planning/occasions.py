"""Campaigns that begin `on` something: what has happened since it was last looked for, and who begins a run.

An occasion is what happened to one customer at one instant. Each is looked at once, in whatever order
the facts arrive, and what happened before the campaign was first planned with is none.
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union,
)

from engine.audience.judged import TAKEN, judged, judging_everybody
from engine.campaigns.model import Campaign
from engine.campaigns.triggers import Trigger
from engine.clock import span
from engine.planning.assignment import held_out
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.state import State
from engine.rules.model import Scope
from engine.store.dialect import insert_from_select, upsert
from engine.store.tables import customers
from engine.store.types import Instant


class Watched(NamedTuple):
    """A trigger: since when it counts, and up to when it was looked for."""

    campaign: Campaign
    trigger: Trigger
    since: datetime
    seen_at: datetime


def watched(connection: Connection, book: Book, state: State, now: datetime) -> Iterator[Watched]:
    """Every trigger of the book; one that is new, or another than it was, counts from now on."""
    table = state.triggers
    rows = connection.execute(select(table.c.campaign_id, table.c.rule, table.c.since, table.c.seen_at)).all()
    before = {(row.campaign_id, row.rule): row for row in rows}
    for campaign in book.campaigns:
        if campaign.on is not None:
            row = before.get((campaign.id, _digest(campaign.on)))
            yield Watched(campaign, campaign.on, row.since if row else now, row.seen_at if row else now)


def begin_on_occasions(
    connection: Connection, book: Book, desk: Desk, state: State, scope: Scope, only: int | None
) -> None:
    """See what has happened, to one customer only or to anybody, and who begins a run by it."""
    if any(campaign.on is not None for campaign in book.campaigns):
        _find(connection, book, desk, state, scope, only)
        _enroll(connection, desk, state)


def _find(
    connection: Connection, book: Book, desk: Desk, state: State, scope: Scope, only: int | None
) -> None:
    """Fill `occasions` with what has happened by now and was not looked at yet."""
    everybody = judging_everybody(connection)
    for each in watched(connection, book, state, scope.now):
        if each.trigger.of_everybody:
            rows = _moment(book, desk, state, each, scope.now)
        else:
            rows = _happened(state, each, scope, whole=each.campaign.id in everybody)
        if rows is not None:
            chosen = rows if only is None else rows.where(rows.selected_columns[0] == only)
            names = ["customer_id", "campaign_id", "at"]
            connection.execute(desk.occasions.insert().from_select(names, chosen))


def _moment(book: Book, desk: Desk, state: State, each: Watched, now: datetime) -> Select[Any] | None:
    """Everybody in the audience, where a moment has come."""
    came = each.trigger.last_moment(each.seen_at, now, book.settings.zone)
    if came is None:
        return None
    audience, member = desk.audience, state.membership
    stayed = select(member.c.customer_id).where(
        member.c.inside, member.c.campaign_id == each.campaign.id, ~judged(member)
    )
    found = select(audience.c.customer_id).where(audience.c.campaign_id == each.campaign.id)
    inside = union(found, stayed).subquery()
    return select(inside.c.customer_id, literal(each.campaign.id), literal(came, Instant))


def _happened(state: State, each: Watched, scope: Scope, *, whole: bool) -> Select[Any]:
    """What happened to anybody since the last look, and whenever it was to those written about since."""
    rows, column, ahead = each.trigger.happenings(scope)
    customer = rows.selected_columns[0]
    by_now = rows.add_columns(column.label("told_at")).where(
        column > each.since + ahead, column <= scope.now + ahead
    )
    written = (customer.in_(select(table.c.customer_id)) for table in (TAKEN, state.changes))
    ways = [by_now] if whole else [by_now.where(column > each.seen_at + ahead), by_now.where(or_(*written))]
    found = union(*ways).subquery()
    at = type_coerce(type_coerce(found.c.told_at, BigInteger) - literal(span(ahead), BigInteger), Instant)
    seen = state.occasions
    known = exists().where(
        seen.c.customer_id == found.c.customer_id, seen.c.campaign_id == each.campaign.id, seen.c.at == at
    )
    return select(found.c.customer_id, literal(each.campaign.id), at).where(~known).distinct()


def _enroll(connection: Connection, desk: Desk, state: State) -> None:
    """Those in the audience begin a run by what happened: it has entered them at that instant.

    `every_time`: each occasion begins one, whatever else is under way. `once` and `again_after`: the
    first that may.
    """
    occasion, campaign, member = desk.occasions, desk.campaigns, state.membership
    each_time = and_(campaign.c.repeats, campaign.c.again_after == 0)
    mine = (occasion.c.customer_id, occasion.c.campaign_id)
    may = (
        select(
            occasion.c.customer_id,
            occasion.c.campaign_id,
            occasion.c.at,
            campaign.c.first_step,
            campaign.c.first_after,
            each_time.label("each_time"),
            held_out(customers.c.lot, campaign.c.lot_a, campaign.c.lot_b, campaign.c.held_below).label(
                "held_out"
            ),
            func.row_number().over(partition_by=mine, order_by=occasion.c.at).label("number"),
            func.coalesce(member.c.spell, 0).label("spells"),
        )
        .join(campaign, campaign.c.campaign_id == occasion.c.campaign_id)
        .join(customers, customers.c.customer_id == occasion.c.customer_id)
        .outerjoin(member, _same(member, occasion))
        .where(_is_inside(desk, state), or_(each_time, _may_begin(desk, state)))
        .subquery()
    )
    due = type_coerce(type_coerce(may.c.at, BigInteger) + may.c.first_after, Instant)
    spell = may.c.spells + may.c.number
    rows = select(
        may.c.customer_id, may.c.campaign_id, spell, may.c.first_step, may.c.at, may.c.held_out, due
    ).where(or_(may.c.each_time, may.c.number == 1))
    names = ["customer_id", "campaign_id", "spell", "step_id", "entered_at", "held_out", "due_at"]
    connection.execute(desk.entries.insert().from_select(names, rows))


def _may_begin(desk: Desk, state: State) -> ColumnElement[bool]:
    """Who never ran; by `again_after`, whose last run began that long before, and is over."""
    occasion, campaign, member, run = desk.occasions, desk.campaigns, state.membership, state.enrollments
    again = type_coerce(run.c.entered_at, BigInteger) + campaign.c.again_after <= type_coerce(
        occasion.c.at, BigInteger
    )
    last = exists().where(
        _same(run, occasion), run.c.spell == member.c.spell, again, run.c.status != "active"
    )
    never = or_(member.c.spell.is_(None), member.c.spell == 0)
    return or_(never, and_(campaign.c.again_after > 0, last))


def record_occasions(connection: Connection, book: Book, desk: Desk, state: State, now: datetime) -> None:
    """They have been looked at, whether they began a run or not."""
    triggers = [
        {
            "campaign_id": each.campaign.id,
            "rule": _digest(each.trigger),
            "since": each.since,
            "seen_at": max(each.seen_at, now),  # a moment comes once, even where the clock goes back
        }
        for each in watched(connection, book, state, now)
    ]
    if not triggers:
        return
    upsert(connection, state.triggers, triggers)
    occasion, happens = (
        desk.occasions,
        [each.id for each in book.campaigns if each.on and not each.on.of_everybody],
    )
    seen = select(occasion.c.customer_id, occasion.c.campaign_id, occasion.c.at)
    seen = seen.where(occasion.c.campaign_id.in_(happens))
    insert_from_select(connection, state.occasions, ["customer_id", "campaign_id", "at"], seen)


def next_occasion(
    connection: Connection, book: Book, state: State, scope: Scope, only: int | None
) -> datetime | None:
    """When the next trigger is pulled after now, as far as it is known today."""
    times: list[datetime | None] = []
    for each in watched(connection, book, state, scope.now):
        if each.trigger.of_everybody:
            times.append(each.trigger.next_moment(scope.now, book.settings.zone))
            continue
        rows, column, ahead = each.trigger.happenings(scope)
        first = rows.with_only_columns(func.min(column, type_=Instant)).where(column > scope.now + ahead)
        mine = first if only is None else first.where(rows.selected_columns[0] == only)
        at = connection.scalar(mine)
        times.append(at - ahead if at is not None else None)
    return min((time for time in times if time is not None), default=None)


def _is_inside(desk: Desk, state: State) -> ColumnElement[bool]:
    """This look found them in the audience, or had no cause to judge a member."""
    occasion, member = desk.occasions, state.membership.alias("inside")
    found = exists().where(_same(desk.audience, occasion))
    stayed = exists().where(_same(member, occasion), member.c.inside, ~judged(member))
    return or_(found, stayed)


def _same(left: Any, right: Any) -> ColumnElement[bool]:
    return and_(left.c.customer_id == right.c.customer_id, left.c.campaign_id == right.c.campaign_id)


def _digest(trigger: Trigger) -> str:
    return sha256(trigger.definition.encode()).hexdigest()[:16]
