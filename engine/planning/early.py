"""Runs that reached their goal with no step due.

A goal is reached by a new fact or by the passing of time: only whom the look judged is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Insert, Select, Table, false, literal, select, true, tuple_

from engine.audience.judged import CANDIDATES, PASSED, judging_everybody
from engine.campaigns.model import Campaign
from engine.planning.desk import Desk, run_columns, run_key
from engine.planning.reasons import Reason, Verdict
from engine.planning.runs import COPIED, VERDICT, goal_reached
from engine.planning.state import State
from engine.rules.model import Rule, Scope
from engine.store.dialect import lay_out, memory_table, one_by_one, unindexed

Runs = Select[*tuple[object, ...]]
WAITING = memory_table(
    "plan_waiting", [*run_key(), *run_columns(key=True)], ["campaign_id"]
)  # the candidates' runs with no step due


@dataclass(frozen=True)
class EarlyGoals:
    """What fills `waiting`; and for each campaign with a goal, what ends its runs: those waiting, or any."""

    wait: Sequence[Insert]
    of_candidates: Mapping[str, Insert]
    of_everybody: Mapping[str, Insert]


def end_early(connection: Connection, goals: EarlyGoals) -> None:
    """Let the runs end that reached their goal."""
    everybody = judging_everybody(connection)
    lay_out(connection, WAITING)
    with one_by_one(connection):
        for statement in goals.wait:
            connection.execute(statement)
    for campaign_id in goals.of_candidates:
        these = goals.of_everybody if campaign_id in everybody else goals.of_candidates
        connection.execute(these[campaign_id])


def early_goals(desk: Desk, state: State, campaigns: Sequence[Campaign], scope: Scope) -> EarlyGoals:
    """The statements, made once; the scope's hand moves their instant."""
    goals = {campaign.id: campaign.goal for campaign in campaigns if campaign.goal is not None}
    into = partial(desk.runs.insert().from_select, [*COPIED, *VERDICT])
    return EarlyGoals(
        [WAITING.insert().from_select(COPIED, rows) for rows in _waiting(state, goals, scope)],
        {name: into(_reached(WAITING, name, goal, scope)) for name, goal in goals.items()},
        {name: into(_reached_by_any(state, name, goal, scope)) for name, goal in goals.items()},
    )


def _waiting(state: State, goals: Mapping[str, Rule], scope: Scope) -> Sequence[Runs]:
    """The runs of the candidates; then those of whom only the time may have changed the answer."""
    run = state.enrollments
    waiting = select(*(run.c[name] for name in COPIED)).where(
        unindexed(run.c.campaign_id).in_(goals),
        unindexed(run.c.status) == "active",
        unindexed(run.c.wake_at) > scope.moment(),
    )
    candidate = run.c.customer_id.in_(select(CANDIDATES.c.customer_id))
    passed = select(PASSED.c.customer_id, PASSED.c.campaign_id)
    passer = tuple_(run.c.customer_id, run.c.campaign_id).in_(passed)
    return waiting.where(candidate), waiting.where(passer)


def _reached_by_any(state: State, name: str, goal: Rule, scope: Scope) -> Runs:
    run = state.enrollments
    return _reached(run, name, goal, scope).where(run.c.status == "active", run.c.wake_at > scope.moment())


def _reached(run: Table, name: str, goal: Rule, scope: Scope) -> Runs:
    """As runs that end now."""
    return select(
        *(run.c[name] for name in COPIED),
        scope.moment(),
        false(),
        *(literal(word) for word in (Verdict.SKIP.value, Reason.GOAL_REACHED.value, "")),
        true(),
    ).where(run.c.campaign_id == name, goal_reached(goal, scope, run))
