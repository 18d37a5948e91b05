"""Every run with a step due now, each still undecided; and those that end early."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    false,
    literal,
    literal_column,
    select,
    true,
    union_all,
    update,
)

from engine.audience.judged import TAKEN
from engine.audience.looks import retimed
from engine.campaigns.model import Campaign
from engine.planning.book import Book
from engine.planning.desk import UNDECIDED, Desk
from engine.planning.reasons import Reason, Verdict
from engine.planning.state import State
from engine.rules.model import Rule, Scope
from engine.store.dialect import unindexed
from engine.store.tables import ASLEEP_SQL, customers, generation
from engine.store.types import Instant

COPIED = ["customer_id", "campaign_id", "spell", "step_id", "entered_at", "held_out", "due_at"]
VERDICT = ["planned_at", "again", "verdict", "reason", "detail", "ends"]


def gather(connection: Connection, book: Book, desk: Desk, state: State, now: datetime) -> None:
    """Fill `runs` with all that is due: active runs, new entries, and mails planned before but not sent.

    A mail that an earlier run left is decided anew, for much may have happened since.
    """
    enrolled, entry, campaign, mail = state.enrollments, desk.entries, desk.campaigns, state.messages
    begun = select(*(enrolled.c[name] for name in COPIED), *_undecided(now)).join(
        campaign, campaign.c.campaign_id == enrolled.c.campaign_id
    )
    awake = [begun.where(enrolled.c.status == "active", enrolled.c.wake_at <= now)]
    later = and_(unindexed(enrolled.c.wake_at) > now, unindexed(enrolled.c.status) == "active")
    asleep = begun.where(literal_column(ASLEEP_SQL), later)
    changed = retimed(connection, state.looks, book.timings)
    here = enrolled.c.campaign_id.in_(changed)
    awake += [asleep.where(~here, _written_of(state))]
    awake += [asleep.where(here)] if changed else []
    fresh = select(*(entry.c[name] for name in COPIED), *_undecided(now)).where(entry.c.due_at <= now)
    left = (
        select(
            *(mail.c[name] for name in COPIED[:4]),
            enrolled.c.entered_at,
            false(),
            mail.c.meant_at,
            mail.c.planned_at,
            true(),
            *_undecided(now)[2:],
        )
        .join(campaign, campaign.c.campaign_id == mail.c.campaign_id)
        .join(
            enrolled,
            and_(
                enrolled.c.customer_id == mail.c.customer_id,
                enrolled.c.campaign_id == mail.c.campaign_id,
                enrolled.c.spell == mail.c.spell,
            ),
        )
        .where(mail.c.status == "scheduled", mail.c.due_at <= now)
    )
    for rows in (left, *awake, fresh):
        connection.execute(desk.runs.insert().from_select([*COPIED, *VERDICT], rows))


def _written_of(state: State) -> ColumnElement[bool]:
    """Something about the customer was written since the last look, perhaps where they live."""
    written = union_all(*(select(table.c.customer_id) for table in (TAKEN, state.changes)))
    return state.enrollments.c.customer_id.in_(written)


def _undecided(now: datetime) -> list[ColumnElement[Any]]:
    return [literal(now, Instant), false(), literal(UNDECIDED), literal(""), literal(""), false()]


def pass_over_removed(connection: Connection, desk: Desk) -> None:
    """A run whose step is no longer in the file goes on with the one after it, or ends where none is."""
    runs, step = desk.runs, desk.steps
    same = and_(step.c.campaign_id == runs.c.campaign_id, step.c.step_id == runs.c.step_id)
    last = exists().where(same, step.c.removed, step.c.next_step.is_(None))
    end(connection, runs, Reason.STEP_REMOVED, last, ~runs.c.again)
    decide(connection, runs, Verdict.SKIP, Reason.STEP_REMOVED, exists().where(same, step.c.removed))


def forget_taken(connection: Connection, desk: Desk, state: State) -> None:
    """A mail planned before that somebody took on while we waited for the lock is not decided anew."""
    runs, mail = desk.runs, state.messages
    same = (mail.c[name] == runs.c[name] for name in ("customer_id", "campaign_id", "step_id", "spell"))
    waits = exists().where(*same, mail.c.status == "scheduled")
    connection.execute(delete(runs).where(runs.c.again, ~waits))


def owed(desk: Desk) -> ColumnElement[bool]:
    """SQL: the run is of a transactional campaign."""
    campaign = desk.campaigns
    return desk.runs.c.campaign_id.in_(select(campaign.c.campaign_id).where(campaign.c.transactional))


def of_track(desk: Desk, track: str) -> ColumnElement[bool]:
    """SQL: the run is of a campaign of that track."""
    campaign = desk.campaigns
    return desk.runs.c.campaign_id.in_(select(campaign.c.campaign_id).where(campaign.c.track == track))


def may_have_left_before(desk: Desk) -> ColumnElement[bool]:
    """SQL: the step was due when the database was adopted, so its mail may have left from another one."""
    adopted = select(generation.c.review_until).scalar_subquery()
    return and_(desk.runs.c.due_at <= adopted, ~desk.runs.c.again)


def campaigns_of(connection: Connection, desk: Desk) -> set[str]:
    """The campaigns in which something is due."""
    return set(connection.scalars(select(desk.runs.c.campaign_id).distinct()))


def end_at_goal(connection: Connection, desk: Desk, campaign: Campaign, scope: Scope) -> None:
    """A run with a step due ends where its goal was reached after entry."""
    if campaign.goal is not None:
        runs = desk.runs
        reached = goal_reached(campaign.goal, scope, runs)
        end(connection, runs, Reason.GOAL_REACHED, runs.c.campaign_id == campaign.id, reached)


def end_unless_while(connection: Connection, desk: Desk, campaign: Campaign, scope: Scope) -> None:
    """A run with a step due ends where the campaign's `while` does not hold."""
    if campaign.while_ is not None:
        runs = desk.runs
        over = ~holds(campaign.while_, scope, runs)
        end(connection, runs, Reason.WHILE_ENDED, runs.c.campaign_id == campaign.id, over)


def skip_unless_when(connection: Connection, desk: Desk, campaign: Campaign, scope: Scope) -> None:
    """A step is passed over where its `when` does not hold."""
    runs = desk.runs
    for step in campaign.steps:
        if step.when is not None:
            here = and_(runs.c.campaign_id == campaign.id, runs.c.step_id == step.id)
            unmet = ~holds(step.when, scope, runs)
            decide(connection, runs, Verdict.SKIP, Reason.WHEN_NOT_MET, here, unmet)


def holds(rule: Rule, scope: Scope, runs: Table) -> ColumnElement[bool]:
    """SQL: the rule holds for the customer of the run."""
    theirs = select(literal(1)).where(customers.c.customer_id == runs.c.customer_id, rule.test(scope.each()))
    return exists(theirs.select_from(customers).correlate(runs))


def decide(
    connection: Connection, runs: Table, verdict: Verdict, reason: Reason, *where: ColumnElement[bool]
) -> None:
    """Give the runs that are still undecided, and of which this holds, their verdict."""
    undecided = update(runs).where(runs.c.verdict == UNDECIDED, *where)
    connection.execute(undecided.values(verdict=verdict.value, reason=reason.value))


def end(connection: Connection, runs: Table, reason: Reason, *where: ColumnElement[bool]) -> None:
    """Let those runs end here."""
    undecided = update(runs).where(runs.c.verdict == UNDECIDED, *where)
    connection.execute(undecided.values(verdict=Verdict.SKIP.value, reason=reason.value, ends=True))


def goal_reached(goal: Rule, scope: Scope, runs: Table) -> ColumnElement[bool]:
    """SQL: the goal holds for the customer of the run, by facts after its entry."""
    test = goal.test(scope.later_than(runs.c.entered_at))
    theirs = select(literal(1)).where(customers.c.customer_id == runs.c.customer_id, test)
    return exists(theirs.select_from(customers).correlate(runs))
