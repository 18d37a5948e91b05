"""Making a plan true: memberships, runs, decisions and the outbox, all in the caller's transaction.

Every statement is conditional on what the plan saw, so a second planner with the same plan changes
nothing.
"""

from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Connection,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
    update,
)

from engine.audience.judged import CANDIDATES, EVERYBODY, PASSED
from engine.audience.looks import record
from engine.clock import to_micros
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.moved import pass_over_decided
from engine.planning.occasions import record_occasions
from engine.planning.reasons import Reason, Verdict
from engine.planning.state import State
from engine.store.dialect import insert_from_select, one_by_one, unindexed
from engine.store.ids import mark
from engine.store.types import Instant

ASK_AGAIN = timedelta(hours=1)  # a mail planned before, and held now


def merge(
    connection: Connection, book: Book, desk: Desk, state: State, now: datetime, *, looked: bool = True
) -> int:
    """Write the plan into the state's tables; returns how many mails it put into the outbox.

    `looked` tells whether the plan judged the audiences; if not, nobody enters or leaves.
    """
    if looked:
        record(connection, state.looks, book.digests, book.timings, now)
        _record_who_left(connection, desk, state, now)
        _record_who_is_inside(connection, desk, state, now)
        _count_runs(connection, desk, state)
        record_occasions(connection, book, desk, state, now)
    _begin_runs(connection, desk, state, now)
    _write_decisions(connection, desk, state, now)
    mails = _fill_outbox(connection, desk, state, now)
    _ask_again_after(connection, desk, state)
    _decide_anew(connection, desk, state, now)
    _advance_runs(connection, desk, state, now)
    pass_over_decided(connection, desk, state, now)
    return mails


def _record_who_left(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """Those inside whom this look judged, and did not find there."""
    member, audience = state.membership, desk.audience
    still = exists().where(
        audience.c.customer_id == member.c.customer_id, audience.c.campaign_id == member.c.campaign_id
    )
    gone = update(member).where(~still).values(inside=False, since=now)
    gone_from_all = gone.where(member.c.inside, member.c.campaign_id.in_(select(EVERYBODY.c.campaign_id)))
    asked = unindexed(member.c.campaign_id).in_(select(desk.campaigns.c.campaign_id))
    candidate = member.c.customer_id.in_(select(CANDIDATES.c.customer_id))
    passed = tuple_(member.c.customer_id, member.c.campaign_id).in_(
        select(PASSED.c.customer_id, PASSED.c.campaign_id)
    )
    connection.execute(gone_from_all)
    with one_by_one(connection):
        connection.execute(gone.where(unindexed(member.c.inside), asked, candidate))
        connection.execute(gone.where(unindexed(member.c.inside), passed))


def _record_who_is_inside(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """Those newly inside, and those who begin a run: their spell rises by what the plan saw."""
    audience, entry, member = desk.audience, _last_entries(desk), state.membership
    rows = (
        select(
            audience.c.customer_id,
            audience.c.campaign_id,
            literal(True),  # noqa: FBT003 - SQL's own true
            func.coalesce(entry.c.spell, member.c.spell, 0),
            case((member.c.inside, member.c.since), else_=literal(now, Instant)),
        )
        .outerjoin(
            entry,
            and_(
                entry.c.customer_id == audience.c.customer_id, entry.c.campaign_id == audience.c.campaign_id
            ),
        )
        .outerjoin(
            member,
            and_(
                member.c.customer_id == audience.c.customer_id,
                member.c.campaign_id == audience.c.campaign_id,
            ),
        )
        .where((entry.c.spell.is_not(None)) | (func.coalesce(member.c.inside, False).is_(False)))
    )
    names = ["customer_id", "campaign_id", "inside", "spell", "since"]
    insert_from_select(connection, member, names, rows, update=["inside", "spell", "since"])


def _count_runs(connection: Connection, desk: Desk, state: State) -> None:
    """Also of those who begin a run on something that happened, and whom this look had no cause to judge."""
    entry, member = _last_entries(desk), state.membership
    mine = and_(entry.c.customer_id == member.c.customer_id, entry.c.campaign_id == member.c.campaign_id)
    connection.execute(update(member).where(mine).values(spell=entry.c.spell))


def _last_entries(desk: Desk) -> Subquery:
    """Of those who begin several runs at once the last one."""
    entry = desk.entries
    key = (entry.c.customer_id, entry.c.campaign_id)
    return select(*key, func.max(entry.c.spell).label("spell")).group_by(*key).subquery()


def _begin_runs(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    entry, campaign = desk.entries, desk.campaigns
    rows = select(
        entry.c.customer_id,
        entry.c.campaign_id,
        entry.c.spell,
        campaign.c.version,
        entry.c.entered_at,
        entry.c.held_out,
        literal("active"),
        literal(""),
        entry.c.step_id,
        entry.c.due_at,
        entry.c.due_at,
        literal(now, Instant),
    ).join(campaign, campaign.c.campaign_id == entry.c.campaign_id)
    names = [
        *("customer_id", "campaign_id", "spell", "version", "entered_at", "held_out"),
        *("status", "exit_reason", "step_id", "due_at", "wake_at", "updated_at"),
    ]
    insert_from_select(connection, state.enrollments, names, rows)


def _write_decisions(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """The last word on each step; a hold that goes on keeps the time it began."""
    runs, before = desk.runs, state.decisions
    same = and_(before.c.verdict == runs.c.verdict, before.c.reason == runs.c.reason)
    rows = select(
        runs.c.customer_id,
        runs.c.campaign_id,
        runs.c.spell,
        runs.c.step_id,
        runs.c.verdict,
        runs.c.reason,
        runs.c.detail,
        literal(now, Instant),
        case((same, before.c.first_at), else_=literal(now, Instant)),
    ).outerjoin(
        before,
        and_(
            before.c.customer_id == runs.c.customer_id,
            before.c.campaign_id == runs.c.campaign_id,
            before.c.spell == runs.c.spell,
            before.c.step_id == runs.c.step_id,
        ),
    )
    names = [
        "customer_id",
        "campaign_id",
        "spell",
        "step_id",
        "verdict",
        "reason",
        "detail",
        "at",
        "first_at",
    ]
    insert_from_select(
        connection, before, names, rows, update=["verdict", "reason", "detail", "at", "first_at"]
    )


def _fill_outbox(connection: Connection, desk: Desk, state: State, now: datetime) -> int:
    """A mail for each `send`; for the held-out a row in its place. Returns the number of mails.

    What is for review waits there for a person.
    """
    runs, campaign = desk.runs, desk.campaigns
    status = case(
        (runs.c.reason == Reason.HELD_OUT.value, "held_out"),
        (runs.c.reason == Reason.REVIEW.value, "held"),
        else_="scheduled",
    )
    rows = select(
        runs.c.customer_id,
        runs.c.campaign_id,
        runs.c.step_id,
        runs.c.spell,
        campaign.c.version,
        campaign.c.track,
        campaign.c.topic,
        status,
        literal(now, Instant),
        literal(now, Instant),
        runs.c.due_at,
        runs.c.closes_at,
        literal(0),
    ).join(campaign, campaign.c.campaign_id == runs.c.campaign_id)
    names = [
        *("customer_id", "campaign_id", "step_id", "spell", "version", "track", "topic", "status"),
        *("planned_at", "due_at", "meant_at", "closes_at", "attempt"),
    ]
    insert_from_select(connection, state.messages, names, rows.where(runs.c.reason == Reason.HELD_OUT.value))
    return insert_from_select(
        connection, state.messages, names, rows.where(runs.c.verdict == Verdict.SEND.value, ~runs.c.again)
    )


def _decide_anew(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """Mails planned before and not sent: they go now, wait a while, or are cancelled with the reason."""
    runs, mail = desk.runs, state.messages
    same = [mail.c[name] == runs.c[name] for name in ("customer_id", "campaign_id", "step_id", "spell")]
    this = and_(*same, unindexed(mail.c.status) == "scheduled", runs.c.again)
    why = "not sent: " + runs.c.reason
    topic = select(desk.campaigns.c.topic).where(desk.campaigns.c.campaign_id == mail.c.campaign_id)
    goes = {"slot_at": now, "closes_at": runs.c.closes_at, "topic": topic.scalar_subquery()}
    connection.execute(update(mail).where(this, runs.c.verdict == Verdict.SEND.value).values(goes))
    again_at = func.coalesce(runs.c.wakes_at, literal(now + ASK_AGAIN, Instant), type_=Instant)
    connection.execute(
        update(mail).where(this, runs.c.verdict == Verdict.HOLD.value).values(due_at=again_at, error=why)
    )
    connection.execute(
        update(mail)
        .where(this, runs.c.verdict == Verdict.SKIP.value)
        .values(status="cancelled", settled_at=now, error=why)
    )


def _ask_again_after(connection: Connection, desk: Desk, state: State) -> None:
    """Whose run may end here, and who may begin another, is judged at the next look."""
    runs, campaign = desk.runs, desk.campaigns
    ended = (
        select(runs.c.customer_id, literal(mark(), BigInteger))
        .join(campaign, campaign.c.campaign_id == runs.c.campaign_id)
        .where(campaign.c.again_after > 0, runs.c.verdict != Verdict.HOLD.value)
    )
    insert_from_select(connection, state.changes, ["customer_id", "change_id"], ended.distinct())


def _advance_runs(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """On to the next step after a `send` or `skip`, or to the end.

    A held run stays where it is; one that waits for its window is not asked again before that.
    """
    runs, step, run = desk.runs, desk.steps, state.enrollments
    active = and_(
        run.c.customer_id == runs.c.customer_id,
        run.c.campaign_id == runs.c.campaign_id,
        run.c.spell == runs.c.spell,
        unindexed(run.c.status) == "active",
    )
    this = and_(active, run.c.step_id == runs.c.step_id, ~runs.c.again)
    decided = runs.c.verdict != Verdict.HOLD.value
    waits = and_(this, runs.c.verdict == Verdict.HOLD.value, runs.c.wakes_at.is_not(None))
    connection.execute(update(run).where(waits).values(wake_at=runs.c.wakes_at))
    ends = {"status": "exited", "exit_reason": runs.c.reason, "wake_at": run.c.due_at, "updated_at": now}
    connection.execute(update(run).where(active, decided, runs.c.ends).values(ends))
    at_step = and_(this, step.c.campaign_id == runs.c.campaign_id, step.c.step_id == runs.c.step_id)
    finished = {"status": "finished", "wake_at": run.c.due_at, "updated_at": now}
    connection.execute(
        update(run).where(at_step, decided, ~runs.c.ends, step.c.next_step.is_(None)).values(finished)
    )
    elapsed = type_coerce(literal(to_micros(now), BigInteger) + step.c.next_after, Instant)
    due = func.coalesce(runs.c.next_due_at, elapsed, type_=Instant)
    onward = {"step_id": step.c.next_step, "due_at": due, "wake_at": due, "updated_at": now}
    connection.execute(
        update(run).where(at_step, decided, ~runs.c.ends, step.c.next_step.is_not(None)).values(onward)
    )
