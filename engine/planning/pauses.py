"""What a person has paused: a campaign, or all of them. Kept in the database, so that all processes know."""

from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, delete, exists, or_, select

from engine.store.dialect import insert_ignoring, upsert
from engine.store.tables import pauses, resumes

ALL = ""  # stands for every campaign


def paused(campaign: Column[str]) -> ColumnElement[bool]:
    """SQL: that campaign is paused, by itself or with all."""
    return exists().where(or_(pauses.c.campaign_id == ALL, pauses.c.campaign_id == campaign))


def paused_since(connection: Connection) -> dict[str, datetime]:
    """What is paused, and since when; ALL among them where everything is."""
    rows = connection.execute(select(pauses.c.campaign_id, pauses.c.at).order_by(pauses.c.campaign_id))
    return {campaign_id: at for campaign_id, at in rows}  # noqa: C416 - rows are no pairs to mypy


def why_paused(connection: Connection) -> dict[str, str]:
    """Of what was not paused by a person, the reason."""
    rows = connection.execute(select(pauses.c.campaign_id, pauses.c.reason).where(pauses.c.reason != ""))
    return {campaign_id: reason for campaign_id, reason in rows}  # noqa: C416 - rows are no pairs to mypy


def pause(connection: Connection, campaign_id: str, now: datetime, reason: str = "") -> None:
    """From now on; `reason` is told where no person asked for it. What is paused stays so, since then."""
    insert_ignoring(connection, pauses, [{"campaign_id": campaign_id, "at": now, "reason": reason}])


def resume(connection: Connection, campaign_id: str, now: datetime) -> bool:
    """Whether it was paused."""
    was = connection.execute(delete(pauses).where(pauses.c.campaign_id == campaign_id)).rowcount > 0
    if was:
        upsert(connection, resumes, [{"campaign_id": campaign_id, "at": now}])
    return was
