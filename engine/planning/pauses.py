"""What a person has paused: a campaign, or all of them. Kept in the database, so that all processes know."""

from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, delete, exists, or_, select

from engine.store.dialect import insert_ignoring
from engine.store.tables import pauses

ALL = ""  # stands for every campaign


def paused(campaign: Column[str]) -> ColumnElement[bool]:
    """SQL: that campaign is paused, by itself or with all."""
    return exists().where(or_(pauses.c.campaign_id == ALL, pauses.c.campaign_id == campaign))


def paused_since(connection: Connection) -> dict[str, datetime]:
    """What is paused, and since when; ALL among them where everything is."""
    rows = connection.execute(select(pauses.c.campaign_id, pauses.c.at).order_by(pauses.c.campaign_id))
    return {campaign_id: at for campaign_id, at in rows}  # noqa: C416 - rows are no pairs to mypy


def pause(connection: Connection, campaign_id: str, now: datetime) -> None:
    """From now on. What is paused already stays so, since then."""
    insert_ignoring(connection, pauses, [{"campaign_id": campaign_id, "at": now}])


def resume(connection: Connection, campaign_id: str) -> bool:
    """Whether it was paused."""
    return connection.execute(delete(pauses).where(pauses.c.campaign_id == campaign_id)).rowcount > 0
