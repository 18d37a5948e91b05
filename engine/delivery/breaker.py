"""The circuit breaker: it pauses a campaign whose mails come back, before the sender's good name is gone.

Mailbox providers count complaints and dead addresses against whoever sends. Both are shares of the mails
that left lately, or would have but for their address; mails of before the last resume are not held against a
campaign again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, distinct, func, or_, select

from engine.clock import format_duration
from engine.delivery.rows import stands
from engine.delivery.states import Status
from engine.facts.mail_events import Kind
from engine.planning.pauses import pause, paused_since
from engine.settings.delivery import Breaker
from engine.settings.values import percent
from engine.store.tables import mail_events, messages, resumes

BACK = (Kind.BOUNCED, Kind.REFUSED)


@dataclass(frozen=True)
class Fuse:
    """A campaign that has to stop, and the sentence that says why."""

    campaign_id: str
    why: str

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.why}"


def break_circuits(
    connection: Connection, settings: Breaker, campaign_ids: Collection[str], now: datetime
) -> list[Fuse]:
    """Pause each of these campaigns that is over a limit, and say which and why."""
    running = campaign_ids - paused_since(connection).keys()
    suspects = connection.scalars(_suspects(settings, running, now)).all()
    found = [
        Fuse(campaign_id, why)
        for campaign_id, *counts in connection.execute(_lately(settings, suspects, now))
        if (why := _over(settings, *counts))
    ]
    for fuse in found:
        pause(connection, fuse.campaign_id, now, fuse.why)
    return found


def _over(settings: Breaker, left: int, bounced: int, complaints: int) -> str:
    """What is over its limit; '' where nothing is."""
    if left < settings.at_least:
        return ""
    for number, limit, came in (
        (bounced, settings.bounces, "came back"),
        (complaints, settings.complaints, "were complained of"),
    ):
        if number > limit * left:
            span = format_duration(settings.within)
            return f"{number:,} of {left:,} mails of the last {span} {came}, more than {percent(limit)}"
    return ""


def _suspects(settings: Breaker, campaign_ids: Collection[str], now: datetime) -> Select[Any]:
    """Those of which anything came back of late: only their mails have to be counted."""
    told = mail_events.c
    bad = (told.kind.in_((*BACK, Kind.COMPLAINED)), told.at > now - settings.within)
    return select(told.campaign_id).where(told.campaign_id.in_(sorted(campaign_ids)), *bad).distinct()


def _lately(settings: Breaker, campaign_ids: Collection[str], now: datetime) -> Select[Any]:
    """For each campaign: the mails that left of late, those that came back, and those complained of."""
    told = mail_events
    same = and_(messages.c.customer_id == told.c.customer_id, messages.c.message_id == told.c.message_id)
    resumed = select(resumes.c.at).where(resumes.c.campaign_id == messages.c.campaign_id).scalar_subquery()
    mails = [
        func.count(distinct(case((told.c.kind.in_(kinds), messages.c.message_id))))
        for kinds in (BACK, (Kind.COMPLAINED,))
    ]
    return (
        select(messages.c.campaign_id, func.count(distinct(messages.c.message_id)), *mails)
        .select_from(messages.outerjoin(told, same))
        .where(
            or_(stands(Status.ACCEPTED), told.c.kind == Kind.REFUSED),
            messages.c.campaign_id.in_(sorted(campaign_ids)),
            messages.c.settled_at > now - settings.within,
            messages.c.settled_at > func.coalesce(resumed, 0),
        )
        .group_by(messages.c.campaign_id)
        .order_by(messages.c.campaign_id)
    )
