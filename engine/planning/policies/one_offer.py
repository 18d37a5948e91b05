"""One offer at a time: while a run that offers something is under way, other offers of its track wait.

A run is under way from its first mail, or from the place of one that is held out, until it ends and
that mail has left. Of several runs one goes first: one that is under way before one that is not, then
the higher priority, then the earlier entry, then the id.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    Table,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from engine.planning.desk import UNDECIDED, Desk
from engine.planning.policies.base import Contest
from engine.planning.reasons import Reason, Verdict
from engine.planning.slots import TAKES_A_SLOT
from engine.planning.state import State
from engine.rules.model import Scope
from engine.store.dialect import lay_out, memory_table
from engine.store.types import Instant

CONTENDERS = memory_table(
    "plan_contenders",
    [
        Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("campaign_id", String(100), primary_key=True),
        Column("track", String(10), nullable=False),
        Column("under_way", Boolean, nullable=False),
        Column("priority", Integer, nullable=False),
        Column("entered_at", Instant, nullable=False),
    ],
)
FIRST = memory_table(
    "plan_first_offers",
    [
        Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("track", String(10), primary_key=True),
        Column("campaign_id", String(100), nullable=False),
        Column("under_way", Boolean, nullable=False),
    ],
)


def hold_other_offers(connection: Connection, desk: Desk, state: State, _: Scope) -> None:
    """Hold the undecided runs that offer something, except that of the campaign that goes first."""
    lay_out(connection, CONTENDERS, FIRST)
    names = [column.name for column in CONTENDERS.columns]
    connection.execute(CONTENDERS.insert().from_select(names, _under_way(desk, state)))
    connection.execute(CONTENDERS.insert().from_select(names, _due(desk)))
    connection.execute(
        FIRST.insert().from_select(["customer_id", "track", "campaign_id", "under_way"], _first())
    )
    runs, campaign, mine = desk.runs, desk.campaigns, desk.campaigns.alias("mine")
    detail = case((FIRST.c.under_way, literal("while in ")), else_=literal("after ")) + campaign.c.name
    waits = (
        FIRST.c.customer_id == runs.c.customer_id,
        FIRST.c.campaign_id != runs.c.campaign_id,
        campaign.c.campaign_id == FIRST.c.campaign_id,
        runs.c.campaign_id.in_(select(mine.c.campaign_id).where(mine.c.track == FIRST.c.track)),
    )
    held = {"verdict": Verdict.HOLD.value, "reason": Reason.ANOTHER_OFFER.value, "detail": detail}
    connection.execute(
        update(runs).where(*waits, runs.c.verdict == UNDECIDED, _offers(desk, runs)).values(held)
    )


def _under_way(desk: Desk, state: State) -> Select[tuple[int, str, str, bool, int, object]]:
    """The runs under way of all customers who have an offer due, less those that end at this very tick."""
    runs, mail, run, campaign = desk.runs, state.messages, state.enrollments, desk.campaigns
    at_hand = select(runs.c.customer_id).where(runs.c.verdict == UNDECIDED, _offers(desk, runs))
    same = and_(*(run.c[name] == mail.c[name] for name in ("customer_id", "campaign_id", "spell")))
    goes_on = or_(run.c.status == "active", mail.c.status.in_(("scheduled", "sending")))
    ends = exists().where(
        runs.c.customer_id == run.c.customer_id, runs.c.campaign_id == run.c.campaign_id, runs.c.ends
    )
    rows = select(
        mail.c.customer_id,
        mail.c.campaign_id,
        campaign.c.track,
        true(),
        campaign.c.priority,
        func.min(run.c.entered_at, type_=Instant()),
    )
    joined = rows.join(run, same).join(campaign, campaign.c.campaign_id == mail.c.campaign_id)
    return joined.where(
        mail.c.customer_id.in_(at_hand),
        mail.c.status.in_(TAKES_A_SLOT),
        goes_on,
        _offers(desk, mail),
        ~ends,
    ).group_by(mail.c.customer_id, mail.c.campaign_id, campaign.c.track, campaign.c.priority)


def _due(desk: Desk) -> Select[tuple[int, str, str, bool, int, object]]:
    """The undecided runs that offer something, and are not under way."""
    runs, campaign = desk.runs, desk.campaigns
    known = exists().where(
        CONTENDERS.c.customer_id == runs.c.customer_id, CONTENDERS.c.campaign_id == runs.c.campaign_id
    )
    rows = select(
        runs.c.customer_id,
        runs.c.campaign_id,
        campaign.c.track,
        false(),
        campaign.c.priority,
        func.min(runs.c.entered_at, type_=Instant()),
    ).join(campaign, campaign.c.campaign_id == runs.c.campaign_id)
    return rows.where(runs.c.verdict == UNDECIDED, _offers(desk, runs), ~known).group_by(
        runs.c.customer_id, runs.c.campaign_id, campaign.c.track, campaign.c.priority
    )


def _first() -> Select[Any]:
    each = CONTENDERS.c
    order = (each.under_way.desc(), each.priority.desc(), each.entered_at, each.campaign_id)
    place = func.row_number().over(partition_by=(each.customer_id, each.track), order_by=order).label("place")
    ranked = select(each.customer_id, each.track, each.campaign_id, each.under_way, place).subquery()
    first = (ranked.c[name] for name in ("customer_id", "track", "campaign_id", "under_way"))
    return select(*first).where(ranked.c.place == 1)


def _offers(desk: Desk, table: Table) -> ColumnElement[bool]:
    return table.c.campaign_id.in_(select(desk.offers.c.campaign_id))


ONE_OFFER = Contest(Reason.ANOTHER_OFFER, hold_other_offers)
