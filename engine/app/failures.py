"""When the jobs of daemons failed, and why: kept by a daemon, and told by every other process.

A row is a stretch of failures of one job in one daemon. It goes on while that daemon lives; one that died
with it failed until its last sign of life.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from engine.app.presence import Daemon, daemons
from engine.store.dialect import upsert
from engine.store.tables import failures, leases

TOLD = timedelta(days=1)  # for so long it is told of one that ended
KEPT = timedelta(days=7)
LONGEST = 400  # letters of an error


@dataclass(frozen=True)
class Failure:
    """A stretch of failures; `until` is None while it goes on."""

    owner: str
    job: str
    since: datetime
    until: datetime | None
    error: str

    @property
    def goes_on(self) -> bool:
        return self.until is None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"goes_on": self.goes_on}

    def __str__(self) -> str:
        job = f"job {self.job} on {self.owner.partition(':')[0]}"
        if self.until is None:
            return f"{job} has failed since {_at(self.since)}: {self.error}"
        return f"{job} failed from {_at(self.since)} to {_at(self.until)}: {self.error}"


def keep(connection: Connection, failure: Failure, now: datetime) -> None:
    """Write it down as it stands by now. What is old is forgotten."""
    upsert(connection, failures, [asdict(failure) | {"error": failure.error[:LONGEST]}])
    over = or_(failures.c.until.is_not(None), failures.c.owner.not_in(select(leases.c.owner)))
    connection.execute(delete(failures).where(failures.c.since < now - KEPT, over))


def end_all(connection: Connection, owner: str, now: datetime) -> None:
    """That daemon ends, and with it whatever failed."""
    theirs = (failures.c.owner == owner, failures.c.until.is_(None))
    connection.execute(update(failures).where(*theirs).values(until=now))


def lately(connection: Connection, now: datetime) -> list[Failure]:
    """Those that go on, and those that ended within a day, the latest first."""
    known = {each.owner: each for each in daemons(connection)}
    rows = connection.execute(select(failures)).mappings()
    found = (_as_of_now(Failure(**row), known) for row in rows)
    told = [each for each in found if each.until is None or each.until > now - TOLD]
    return sorted(told, key=lambda each: (each.until or now, each.since), reverse=True)


def _as_of_now(failure: Failure, known: Mapping[str, Daemon]) -> Failure:
    """One whose daemon died without a word has ended with its last sign of life."""
    daemon = known.get(failure.owner)
    if not failure.goes_on or (daemon and daemon.alive):
        return failure
    last = max(daemon.until, failure.since) if daemon else failure.since
    return Failure(failure.owner, failure.job, failure.since, last, failure.error)


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}Z"
