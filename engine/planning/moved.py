"""Steps that were moved within their file: a run never comes to one that it has behind it."""

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
    update,
)

from engine.clock import span, to_micros
from engine.planning.desk import Desk
from engine.planning.reasons import Verdict
from engine.planning.state import State
from engine.store.dialect import unindexed
from engine.store.types import Instant
from engine.zones import DAY


def pass_over_decided(connection: Connection, desk: Desk, state: State, now: datetime) -> None:
    """Let runs that have come to such a step go on at once, to the first that still lies before them."""
    run, step = state.enrollments, desk.steps
    here = and_(
        _come_to_a_decided_step(desk, state, now),
        step.c.campaign_id == run.c.campaign_id,
        step.c.step_id == run.c.step_id,
    )
    wait = func.coalesce(step.c.next_days * literal(span(DAY), BigInteger), step.c.next_after)
    due = type_coerce(literal(to_micros(now), BigInteger) + wait, Instant)
    onward = update(run).where(here, step.c.next_step.is_not(None))
    through = update(run).where(here, step.c.next_step.is_(None)).values(status="finished")
    while connection.execute(onward.values(step_id=step.c.next_step, due_at=due, wake_at=due)).rowcount:
        pass
    connection.execute(through)


def _come_to_a_decided_step(desk: Desk, state: State, now: datetime) -> ColumnElement[bool]:
    run, decided, mail = state.enrollments, state.decisions, state.messages
    planned = run.c.customer_id.in_(select(desk.runs.c.customer_id))
    names = ("customer_id", "campaign_id", "spell", "step_id")
    done = exists().where(
        *(decided.c[name] == run.c[name] for name in names), decided.c.verdict != Verdict.HOLD.value
    )
    mailed = exists().where(*(mail.c[name] == run.c[name] for name in names))  # perhaps held since, not sent
    return and_(unindexed(run.c.status) == "active", run.c.updated_at == now, planned, or_(done, mailed))
