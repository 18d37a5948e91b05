"""Which daemons there are: each keeps a lease of its own, for as long as it lives."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from engine.planning.leadership import PLANNER
from engine.store.dialect import database_now, upsert
from engine.store.tables import leases

DAEMON = "daemon "
FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True)
class Daemon:
    """One that lives, or did not say that it ended; `until` is how long its last sign is good for."""

    owner: str
    alive: bool
    leads: bool
    until: datetime

    def as_json(self) -> dict[str, Any]:
        return self.__dict__ | {}


def show(connection: Connection, owner: str, term: timedelta) -> None:
    """A sign of life, good for `term`. Those that died long ago are forgotten."""
    now = database_now(connection)
    row = {"name": _name(owner), "owner": owner, "epoch": 0, "expires_at": now + term}
    upsert(connection, leases, [row])
    dead = leases.c.name.startswith(DAEMON) & (leases.c.expires_at < now - FORGOTTEN)
    connection.execute(delete(leases).where(dead))


def leave(connection: Connection, owner: str) -> None:
    """It ended."""
    connection.execute(delete(leases).where(leases.c.name == _name(owner)))


def daemons(connection: Connection) -> list[Daemon]:
    """Every one that is known of, the leader first."""
    now = database_now(connection)
    rows = connection.execute(select(leases.c.name, leases.c.owner, leases.c.expires_at)).all()
    leading = {row.owner for row in rows if row.name == PLANNER and row.expires_at > now}
    found = [
        Daemon(row.owner, row.expires_at > now, row.owner in leading, row.expires_at)
        for row in rows
        if row.name.startswith(DAEMON)
    ]
    return sorted(found, key=lambda each: (not each.leads, not each.alive, each.owner))


def _name(owner: str) -> str:
    """The last part of an owner is its own chance."""
    return DAEMON + owner.rpartition(":")[2]
