"""What has been held too long is given up, as the step, its campaign or the settings say."""

from datetime import datetime

from sqlalchemy import BigInteger, Connection, case, literal, type_coerce, update

from engine.clock import to_micros
from engine.planning.desk import Desk
from engine.planning.reasons import Reason, Verdict

# Of a wait by the clock `late` and `latest` have the say, of a pause the person who paused.
SPARED = (Reason.OUTSIDE_WINDOW, Reason.QUIET_HOURS, Reason.PAUSED)


def give_up(connection: Connection, desk: Desk, now: datetime) -> None:
    """Pass over the held steps whose time is over, or end their runs; the detail tells what they waited for.

    A step waits from when it was due; a mail that was planned before, from when it was planned.
    """
    runs, step = desk.runs, desk.steps
    since = type_coerce(case((runs.c.again, runs.c.planned_at), else_=runs.c.due_at), BigInteger)
    waited_for = case(
        *((runs.c.reason == reason.value, literal(reason.sentence)) for reason in Reason), else_=runs.c.reason
    )
    connection.execute(
        update(runs)
        .where(
            runs.c.verdict == Verdict.HOLD.value,
            runs.c.reason.not_in(SPARED),
            step.c.campaign_id == runs.c.campaign_id,
            step.c.step_id == runs.c.step_id,
            since + step.c.hold_at_most <= to_micros(now),
        )
        .values(
            verdict=Verdict.SKIP.value,
            reason=Reason.EXPIRED.value,
            detail=waited_for,
            ends=step.c.hold_exits,
        )
    )
