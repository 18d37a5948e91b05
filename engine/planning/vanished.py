"""Campaigns that were planned with once, and are in no file any more."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, false, literal, select, true

from engine.planning.desk import Desk
from engine.planning.reasons import Reason, Verdict
from engine.planning.runs import COPIED, VERDICT
from engine.planning.state import State
from engine.store.tables import campaign_versions, messages
from engine.store.types import Instant

NEVER_LEFT = ("scheduled", "cancelled")


def vanished(connection: Connection, in_files: frozenset[str] | None) -> list[str]:
    """Their ids. None where it is not known what is in the files: it may be any of them."""
    if in_files is None:
        return []
    known = select(campaign_versions.c.campaign_id).distinct().order_by(campaign_versions.c.campaign_id)
    return [campaign_id for campaign_id in connection.scalars(known) if campaign_id not in in_files]


def that_sent(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Those of them of which somebody has a mail, or would have but for the holdout."""
    left = messages.c.status.not_in(NEVER_LEFT)
    asked = {each: exists().where(messages.c.campaign_id == each, left) for each in ids}
    return [each for each, sent in asked.items() if connection.scalar(select(sent))]


def end_vanished(
    connection: Connection, in_files: frozenset[str] | None, desk: Desk, state: State, now: datetime
) -> None:
    """Their runs end, whether a step is due or not, and mails that have not left yet never will."""
    gone = vanished(connection, in_files)
    if gone:
        for rows in (_scheduled(state, gone), _active(state, gone, now)):
            connection.execute(desk.runs.insert().from_select([*COPIED, *VERDICT], rows))


def _active(state: State, gone: list[str], now: datetime) -> Select[Any]:
    enrolled = state.enrollments
    rows = select(*(enrolled.c[name] for name in COPIED), literal(now, Instant), false(), *_removed())
    return rows.where(enrolled.c.campaign_id.in_(gone), enrolled.c.status == "active")


def _scheduled(state: State, gone: list[str]) -> Select[Any]:
    enrolled, mail = state.enrollments, state.messages
    run = and_(*(enrolled.c[name] == mail.c[name] for name in ("customer_id", "campaign_id", "spell")))
    planned = (enrolled.c.entered_at, false(), mail.c.due_at, mail.c.planned_at, true())
    rows = select(*(mail.c[name] for name in COPIED[:4]), *planned, *_removed()).join(enrolled, run)
    return rows.where(mail.c.campaign_id.in_(gone), mail.c.status == "scheduled")


def _removed() -> tuple[ColumnElement[Any], ...]:
    return literal(Verdict.SKIP.value), literal(Reason.CAMPAIGN_REMOVED.value), literal(""), true()
