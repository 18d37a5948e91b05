"""Who begins a run through a campaign now. Front-end campaigns begin otherwise: see `inside`."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from engine.campaigns.model import FRONT_END
from engine.clock import to_micros
from engine.planning.assignment import held_out
from engine.planning.desk import Desk
from engine.planning.state import State
from engine.store.tables import customers
from engine.store.types import Instant


def enroll(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """Fill `entries`: those in an audience who may begin, with their spell, holdout and first step.

    Nobody begins a second run while one is active. `once`: who never ran. `every_time`: who was
    outside at the last look. `again_after`: who began the last run at least that long ago.
    """
    campaign, audience, member = desk.campaigns, desk.audience, state.membership
    may_begin = or_(member.c.spell.is_(None), member.c.spell == 0, _again(desk, state, now))
    rows = (
        select(
            audience.c.customer_id,
            audience.c.campaign_id,
            (func.coalesce(member.c.spell, 0) + 1).label("spell"),
            campaign.c.first_step,
            literal(now, Instant).label("entered_at"),
            held_out(customers.c.lot, campaign.c.lot_a, campaign.c.lot_b, campaign.c.held_below),
            type_coerce(literal(to_micros(now), BigInteger) + campaign.c.first_after, Instant),
        )
        .join(campaign, campaign.c.campaign_id == audience.c.campaign_id)
        .join(customers, customers.c.customer_id == audience.c.customer_id)
        .outerjoin(member, _same(member, audience))
        .where(campaign.c.track != FRONT_END, ~campaign.c.waits_for, may_begin, ~_running(desk, state))
    )
    names = ["customer_id", "campaign_id", "spell", "step_id", "entered_at", "held_out", "due_at"]
    connection.execute(desk.entries.insert().from_select(names, rows))


def _same(left: object, right: object) -> ColumnElement[bool]:
    a, b = left.c, right.c  # type: ignore[attr-defined]  # two tables with these columns
    return and_(a.customer_id == b.customer_id, a.campaign_id == b.campaign_id)


def _again(desk: Desk, state: State, now: datetime) -> ColumnElement[bool]:
    campaign, member, run = desk.campaigns, state.membership, state.enrollments
    recent = type_coerce(run.c.entered_at, BigInteger) + campaign.c.again_after > to_micros(now)
    long_ago = ~exists().where(_same(run, member), recent)
    return and_(
        campaign.c.repeats,
        or_(and_(campaign.c.again_after == 0, ~member.c.inside), and_(campaign.c.again_after > 0, long_ago)),
    )


def _running(desk: Desk, state: State) -> ColumnElement[bool]:
    run = state.enrollments
    return exists().where(_same(run, desk.audience), run.c.status == "active")
