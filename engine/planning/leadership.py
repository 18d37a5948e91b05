"""Who plans: one lease, in database time, with an epoch that rises whenever the lead passes on.

Double planning would do no harm, for a plan writes nothing twice; but it is work done twice. What the
epoch is for: a leader that was frozen, and wakes when another one leads, finds it out before it writes.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, update

from engine.store.dialect import database_now, insert, let_go_when_frozen
from engine.store.tables import leases

PLANNER = "planner"
BEYOND = 2  # terms: a lease until then was written by a clock that ran ahead, and was set right since


class LeadLost(Exception):
    """Another one leads by now, or the lease ran out unnoticed."""


@dataclass(frozen=True)
class Lead:
    """The lead as one owner has it: nobody else has had it since, while the epoch is the same."""

    owner: str
    epoch: int


def take_lead(connection: Connection, owner: str, term: timedelta) -> Lead | None:
    """Take the lead or keep it, until `term` from now; None while another one has it."""
    now = database_now(connection)
    mine = and_(leases.c.owner == owner, leases.c.expires_at > now)
    row = {"owner": owner, "expires_at": now + term}
    statement = insert(connection.dialect, leases).values(name=PLANNER, epoch=1, **row)
    taken = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={**row, "epoch": case((mine, leases.c.epoch), else_=leases.c.epoch + 1)},
        where=or_(mine, leases.c.expires_at <= now, leases.c.expires_at > now + BEYOND * term),
    )
    epoch = connection.scalar(taken.returning(leases.c.epoch))
    return None if epoch is None else Lead(owner, epoch)


def keep_lead(connection: Connection, lead: Lead, term: timedelta) -> None:
    """Lengthen the lease, and be alone with it until this transaction ends. Raises LeadLost."""
    let_go_when_frozen(connection, term)
    now = database_now(connection)
    mine = and_(_of(lead), leases.c.expires_at > now)
    if connection.execute(update(leases).where(mine).values(expires_at=now + term)).rowcount != 1:
        raise LeadLost


def lengthen_lead(connection: Connection, lead: Lead, term: timedelta) -> None:
    """Once more, in the transaction that kept it: nobody can have taken it since, however long that was."""
    until = database_now(connection) + term
    if connection.execute(update(leases).where(_of(lead)).values(expires_at=until)).rowcount != 1:
        raise LeadLost


def give_up_lead(connection: Connection, lead: Lead) -> None:
    """Let the next one take over at once. The epoch stays, for the next one to raise."""
    connection.execute(update(leases).where(_of(lead)).values(expires_at=database_now(connection)))


def leader(connection: Connection) -> str:
    """Who had the lead last."""
    return connection.scalar(select(leases.c.owner).where(leases.c.name == PLANNER)) or ""


def _of(lead: Lead) -> ColumnElement[bool]:
    return and_(leases.c.name == PLANNER, leases.c.owner == lead.owner, leases.c.epoch == lead.epoch)
