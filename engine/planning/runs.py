"""Every run with a step due now, each still undecided; and those that end early."""

from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Table,
    and_,
    exists,
    false,
    literal,
    literal_column,
    select,
    true,
    type_coerce,
    union,
    update,
)

from engine.audience.judged import CANDIDATES, TAKEN
from engine.audience.looks import retimed
from engine.campaigns.model import Campaign
from engine.clock import to_micros
from engine.planning.book import Book
from engine.planning.desk import UNDECIDED, Desk
from engine.planning.reasons import Reason, Verdict
from engine.planning.state import State
from engine.rules.model import Rule, Scope
from engine.store.tables import ASLEEP_SQL, customers
from engine.store.types import Instant

COPIED = ["customer_id", "campaign_id", "spell", "step_id", "entered_at", "held_out", "due_at"]
VERDICT = ["planned_at", "again", "verdict", "reason", "detail", "ends"]


class EarlyGoal(NamedTuple):
    """The statement where a look judged candidates, and the one where it judged everybody."""

    of_candidates: Insert
    of_everybody: Insert


def gather(connection: Connection, book: Book, desk: Desk, state: State, now: datetime) -> None:
    """Fill `runs` with all that is due: active runs, new entries, and mails planned before but not sent.

    A mail that an earlier run left is decided anew, for much may have happened since.
    """
    enrolled, entry, campaign, mail = state.enrollments, desk.entries, desk.campaigns, state.messages
    begun = select(*(enrolled.c[name] for name in COPIED), *_undecided(now)).join(
        campaign, campaign.c.campaign_id == enrolled.c.campaign_id
    )
    awake = [begun.where(enrolled.c.status == "active", enrolled.c.wake_at <= now)]
    # the calculations keep SQLite from an index by time: that would be read for everybody in progress
    later = type_coerce(enrolled.c.wake_at, BigInteger) + 0 > to_micros(now)
    asleep = begun.where(literal_column(ASLEEP_SQL), later, enrolled.c.status + "" == "active")
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
    written = union(*(select(table.c.customer_id) for table in (TAKEN, state.changes)))
    return state.enrollments.c.customer_id.in_(written)


def _undecided(now: datetime) -> list[ColumnElement[Any]]:
    return [literal(now, Instant), false(), literal(UNDECIDED), literal(""), literal(""), false()]


def end_removed(connection: Connection, desk: Desk) -> None:
    """A run whose step is no longer in the file ends."""
    runs, step = desk.runs, desk.steps
    known = exists().where(step.c.campaign_id == runs.c.campaign_id, step.c.step_id == runs.c.step_id)
    end(connection, runs, Reason.STEP_REMOVED, ~known)


def campaigns_of(connection: Connection, desk: Desk) -> set[str]:
    """The campaigns in which something is due."""
    return set(connection.scalars(select(desk.runs.c.campaign_id).distinct()))


def end_at_goal(connection: Connection, desk: Desk, campaign: Campaign, scope: Scope) -> None:
    """A run with a step due ends where its goal was reached after entry."""
    if campaign.goal is not None:
        runs = desk.runs
        reached = _goal_reached(campaign.goal, scope, runs)
        end(connection, runs, Reason.GOAL_REACHED, runs.c.campaign_id == campaign.id, reached)


def early_goal(desk: Desk, state: State, campaign: Campaign, goal: Rule, scope: Scope) -> EarlyGoal:
    """The runs that reached the goal with no step due, as runs that end now.

    A goal is reached by a new fact or by the passing of time: only whom the look judged is asked.
    """
    enrolled = state.enrollments
    early = select(
        *(enrolled.c[name] for name in COPIED),
        scope.moment(),
        false(),
        *(literal(word) for word in (Verdict.SKIP.value, Reason.GOAL_REACHED.value, "")),
        true(),
    ).where(
        enrolled.c.campaign_id == campaign.id,
        enrolled.c.status == "active",
        enrolled.c.wake_at > scope.moment(),
        _goal_reached(goal, scope, enrolled),
    )
    of_candidates = early.where(enrolled.c.customer_id.in_(select(CANDIDATES.c.customer_id)))
    into = partial(desk.runs.insert().from_select, [*COPIED, *VERDICT])
    return EarlyGoal(into(of_candidates), into(early))


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


def _goal_reached(goal: Rule, scope: Scope, runs: Table) -> ColumnElement[bool]:
    test = goal.test(scope.later_than(runs.c.entered_at))
    theirs = select(literal(1)).where(customers.c.customer_id == runs.c.customer_id, test)
    return exists(theirs.select_from(customers).correlate(runs))
