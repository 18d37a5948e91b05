"""Mails that are not taken, however often they are tried."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from engine.delivery.rows import stands
from engine.delivery.states import Status
from engine.store.tables import messages

TOLD_AFTER = timedelta(hours=1)  # what passes by itself has passed by then


@dataclass(frozen=True)
class InVain:
    """So many mails wait to be tried once more, the first of them since then, for what was said last."""

    mails: int
    since: datetime
    said: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def in_vain(connection: Connection, now: datetime) -> InVain | None:
    """Those that have not been taken for an hour; None where there is none."""
    since = messages.c.in_vain_since
    these = (stands(Status.SCHEDULED), since <= now - TOLD_AFTER)
    first = select(func.count(), func.min(since, type_=since.type)).where(*these)
    mails, earliest = connection.execute(first).one()
    if not mails:
        return None
    said = select(messages.c.error).where(*these, messages.c.error.is_not(None))
    ordered = said.order_by(since, messages.c.customer_id, messages.c.campaign_id).limit(1)
    return InVain(mails, earliest, connection.scalar(ordered) or "")
