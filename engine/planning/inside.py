"""Front-end runs: they begin while a transaction of the customer is open, and end when it closes.

A run belongs to the transaction within which it was entered. It counts from when that opened.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from engine.campaigns.model import FRONT_END, Campaign
from engine.planning.assignment import held_out
from engine.planning.desk import Desk
from engine.planning.reasons import Reason
from engine.planning.runs import end
from engine.planning.state import State
from engine.store.tables import customers, transactions
from engine.store.types import Instant

Now = datetime | ColumnElement[Any]


def begin_inside(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """Add to `entries` those in the audience of a front-end campaign who have a transaction open now.

    One run in a transaction at most; how many in all of a customer's, the campaign's `enter` says.
    """
    campaign, audience, member = desk.campaigns, desk.audience, state.membership
    opened = transactions.c.opened_at
    rows = (
        select(
            audience.c.customer_id,
            audience.c.campaign_id,
            func.coalesce(member.c.spell, 0) + 1,
            campaign.c.first_step,
            opened,
            held_out(customers.c.lot, campaign.c.lot_a, campaign.c.lot_b, campaign.c.held_below),
            type_coerce(type_coerce(opened, BigInteger) + campaign.c.first_after, Instant),
        )
        .join(campaign, campaign.c.campaign_id == audience.c.campaign_id)
        .join(customers, customers.c.customer_id == audience.c.customer_id)
        .join(transactions, transactions.c.customer_id == audience.c.customer_id)
        .outerjoin(member, _same(member, audience))
        .where(campaign.c.track == FRONT_END, _is_open(now), ~_been_inside(desk, state), _may(desk, state))
    )
    names = ["customer_id", "campaign_id", "spell", "step_id", "entered_at", "held_out", "due_at"]
    connection.execute(desk.entries.insert().from_select(names, rows))


def end_at_close(connection: Connection, desk: Desk, campaign: Campaign, now: datetime) -> None:
    """A front-end run with a step due ends where its transaction is closed."""
    if campaign.track == FRONT_END:
        runs = desk.runs
        end(connection, runs, Reason.TRANSACTION_CLOSED, runs.c.campaign_id == campaign.id, closed(runs, now))


def close_with_it(connection: Connection, desk: Desk) -> None:
    """A front-end mail may go until its transaction closes; from then on it is decided anew."""
    runs, campaign = desk.runs, desk.campaigns
    closes = select(func.max(transactions.c.closes_at, type_=Instant)).where(_of_run(runs))
    front = select(campaign.c.campaign_id).where(campaign.c.track == FRONT_END)
    connection.execute(
        update(runs)
        .where(runs.c.campaign_id.in_(front))
        .values(closes_at=closes.correlate(runs).scalar_subquery())
    )


def closed(runs: Any, now: Now) -> ColumnElement[bool]:
    """SQL: the transaction of that run is not open; or there is none any more."""
    return ~exists().where(_of_run(runs), _is_open(now)).correlate(runs)


def _is_open(now: Now) -> ColumnElement[bool]:
    return and_(transactions.c.opened_at <= now, transactions.c.closes_at > now)


def _of_run(runs: Any) -> ColumnElement[bool]:
    """SQL: the transaction within which the run was entered."""
    return and_(
        transactions.c.customer_id == runs.c.customer_id,
        transactions.c.opened_at <= runs.c.entered_at,
        transactions.c.closes_at >= runs.c.entered_at,
    )


def _been_inside(desk: Desk, state: State) -> ColumnElement[bool]:
    """SQL: there was a run in this transaction already."""
    run = state.enrollments
    return exists().where(
        _same(run, desk.audience),
        run.c.entered_at >= transactions.c.opened_at,
        run.c.entered_at <= transactions.c.closes_at,
    )


def _may(desk: Desk, state: State) -> ColumnElement[bool]:
    """SQL: `once`: who never ran. `again_after`: whose runs all began that long before."""
    campaign, member, run = desk.campaigns, state.membership, state.enrollments
    again = type_coerce(run.c.entered_at, BigInteger) + campaign.c.again_after
    recent = exists().where(
        _same(run, desk.audience), again > type_coerce(transactions.c.opened_at, BigInteger)
    )
    never = or_(member.c.spell.is_(None), member.c.spell == 0)
    return or_(never, and_(campaign.c.repeats, ~recent))


def _same(left: Any, right: Any) -> ColumnElement[bool]:
    return and_(left.c.customer_id == right.c.customer_id, left.c.campaign_id == right.c.campaign_id)
