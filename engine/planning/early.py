"""Runs that end with no step due: they reached their goal, or the transaction closed that they ran in.

Either comes by a new fact or by the passing of time: only whom the look judged is asked.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    exists,
    false,
    literal,
    select,
    true,
    tuple_,
)

from engine.audience.judged import CANDIDATES, PASSED, judging_everybody
from engine.campaigns.model import FRONT_END, Campaign
from engine.planning.desk import Desk, run_columns, run_key
from engine.planning.inside import closed
from engine.planning.reasons import Reason, Verdict
from engine.planning.runs import COPIED, VERDICT, goal_reached
from engine.planning.state import State
from engine.rules.model import Scope
from engine.store.dialect import lay_out, memory_table, one_by_one, unindexed

Runs = Select[*tuple[object, ...]]
WAITING = memory_table(
    "plan_waiting", [*run_key(), *run_columns(key=True)], ["campaign_id"]
)  # the candidates' runs with no step due


Ending = tuple[Reason, Callable[[Table], ColumnElement[bool]]]  # why a run ends, and SQL that says whether


@dataclass(frozen=True)
class EarlyGoals:
    """What fills `waiting`; and for each campaign that may, what ends its runs: those waiting, or any."""

    wait: Sequence[Insert]
    of_candidates: Mapping[str, Sequence[Insert]]
    of_everybody: Mapping[str, Sequence[Insert]]


def end_early(connection: Connection, goals: EarlyGoals) -> None:
    """Let the runs end that have come to their end."""
    everybody = judging_everybody(connection)
    lay_out(connection, WAITING)
    with one_by_one(connection):
        for statement in goals.wait:
            connection.execute(statement)
    for campaign_id in goals.of_candidates:
        these = goals.of_everybody if campaign_id in everybody else goals.of_candidates
        for statement in these[campaign_id]:
            connection.execute(statement)


def early_goals(desk: Desk, state: State, campaigns: Sequence[Campaign], scope: Scope) -> EarlyGoals:
    """The statements, made once; the scope's hand moves their instant."""
    endings = {each.id: list(_endings(each, scope)) for each in campaigns}
    endings = {name: some for name, some in endings.items() if some}
    into = partial(desk.runs.insert().from_select, [*COPIED, *VERDICT])
    return EarlyGoals(
        [WAITING.insert().from_select(COPIED, rows) for rows in _waiting(state, endings, scope)],
        {
            name: [into(_ended(desk, WAITING, name, ending, scope)) for ending in some]
            for name, some in endings.items()
        },
        {
            name: [into(_ended_of_any(desk, state, name, ending, scope)) for ending in some]
            for name, some in endings.items()
        },
    )


def _endings(campaign: Campaign, scope: Scope) -> Iterator[Ending]:
    """What may end a run of the campaign, the first of them first."""
    if campaign.goal is not None:
        yield Reason.GOAL_REACHED, partial(goal_reached, campaign.goal, scope)
    if campaign.track == FRONT_END:
        yield Reason.TRANSACTION_CLOSED, lambda run: closed(run, scope.moment())


def _at_hand(desk: Desk, run: Table) -> ColumnElement[bool]:
    """SQL: it is decided upon already, since it ends or is asked once more about its window."""
    names = ("customer_id", "campaign_id", "spell", "step_id")
    return exists().where(*(desk.runs.c[name] == run.c[name] for name in names)).correlate(run)


def _waiting(state: State, campaigns: Collection[str], scope: Scope) -> Sequence[Runs]:
    """The runs of the candidates; then those of whom only the time may have changed the answer."""
    run = state.enrollments
    waiting = select(*(run.c[name] for name in COPIED)).where(
        unindexed(run.c.campaign_id).in_(campaigns),
        unindexed(run.c.status) == "active",
        unindexed(run.c.wake_at) > scope.moment(),
    )
    candidate = run.c.customer_id.in_(select(CANDIDATES.c.customer_id))
    passed = select(PASSED.c.customer_id, PASSED.c.campaign_id)
    passer = tuple_(run.c.customer_id, run.c.campaign_id).in_(passed)
    return waiting.where(candidate), waiting.where(passer)


def _ended_of_any(desk: Desk, state: State, name: str, ending: Ending, scope: Scope) -> Runs:
    run = state.enrollments
    return _ended(desk, run, name, ending, scope).where(
        run.c.status == "active", run.c.wake_at > scope.moment()
    )


def _ended(desk: Desk, run: Table, name: str, ending: Ending, scope: Scope) -> Runs:
    """As runs that end now."""
    reason, comes_to_it = ending
    return select(
        *(run.c[column] for column in COPIED),
        scope.moment(),
        false(),
        *(literal(word) for word in (Verdict.SKIP.value, reason.value, "")),
        true(),
    ).where(run.c.campaign_id == name, ~_at_hand(desk, run), comes_to_it(run))
