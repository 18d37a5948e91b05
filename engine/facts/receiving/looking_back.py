"""Events that came before: those that are parked, those to be taken up anew, and sources that fell silent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from engine.clock import format_duration
from engine.facts.receiving.inbound import AGAIN, PARKED
from engine.facts.receiving.sources import SOURCES
from engine.settings.model import Settings
from engine.store.tables import inbound


class Kept(NamedTuple):
    """A parked event, and why it is."""

    source: str
    event_id: str
    received_at: datetime
    error: str


@dataclass(frozen=True)
class Silent:
    """A source that told something before, and when it did so last."""

    source: str
    last_at: datetime
    after: str

    def as_json(self) -> dict[str, Any]:
        return {"source": self.source, "last_at": self.last_at}

    def __str__(self) -> str:
        last = f"{self.last_at:%Y-%m-%d %H:%M}Z"
        return f"{self.source} has told nothing since {last}, for longer than {self.after}"


def parked(connection: Connection, sources: Collection[str], most: int) -> tuple[Sequence[Kept], int]:
    """The parked events of these sources, the latest first, so many at most; and how many there are."""
    theirs = (inbound.c.outcome == PARKED, inbound.c.source.in_(sorted(sources)))
    columns = (
        inbound.c.source,
        inbound.c.event_id,
        inbound.c.received_at,
        func.coalesce(inbound.c.error, ""),
    )
    ordered = select(*columns).where(*theirs).order_by(inbound.c.received_at.desc(), inbound.c.event_id)
    found = [Kept(*row) for row in connection.execute(ordered.limit(most))]
    return found, connection.scalar(select(func.count()).select_from(inbound).where(*theirs)) or 0


def take_up_anew(connection: Connection, sources: Collection[str], *, whole: bool) -> int:
    """Let parked events wait again; with `whole` all whose words are still kept. How many that is."""
    which = inbound.c.applied_at.is_not(None) if whole else inbound.c.outcome == PARKED
    theirs = (which, inbound.c.source.in_(sorted(sources)), inbound.c.body != "")
    change = update(inbound).where(*theirs).values(applied_at=None, outcome=AGAIN, error=None)
    return connection.execute(change).rowcount


def silent(connection: Connection, settings: Settings, now: datetime) -> list[Silent]:
    """The sources of facts that are let in, told something before, and nothing for too long."""
    span = settings.receiving.silent_after
    if span is None:
        return []
    found = []
    for name, source in SOURCES.items():
        if getattr(settings.secrets, source.secret) is None:
            continue
        last = func.max(inbound.c.received_at, type_=inbound.c.received_at.type)
        at = connection.scalar(select(last).where(inbound.c.source == name))
        if at is not None and now - at > span:
            found.append(Silent(name, at, format_duration(span)))
    return found
