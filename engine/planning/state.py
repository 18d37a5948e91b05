"""Where a plan finds what was decided before, and where it is written down.

`kept` is the store's own tables, `imagined` a copy that only this connection sees. The plan and its
merge are the same over both: that is all the difference between a run and a preview.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, select

from engine.audience.looks import last_at
from engine.clock import Clock
from engine.errors import UsageError
from engine.planning.leadership import PLANNER
from engine.planning.slots import lock_contacts
from engine.store import tables
from engine.store.dialect import insert, lay_out, memory_twin


@dataclass(frozen=True)
class State:
    """The tables that a plan reads and its merge writes, and how to be alone with them."""

    membership: Table
    enrollments: Table
    decisions: Table
    messages: Table
    looks: Table
    changes: Table
    triggers: Table
    occasions: Table
    lock: Callable[[Connection, Table], None]


_KEPT = (
    tables.membership,
    tables.enrollments,
    tables.decisions,
    tables.messages,
    tables.looks,
    tables.changes,
    tables.triggers,
    tables.occasions,
)
_TWINS = tuple(memory_twin(table) for table in _KEPT)


def _state(those: Sequence[Table], lock: Callable[[Connection, Table], None]) -> State:
    membership, enrollments, decisions, messages, looks, changes, triggers, occasions = those
    return State(membership, enrollments, decisions, messages, looks, changes, triggers, occasions, lock)


def kept() -> State:
    """The store's own tables."""
    return _state(_KEPT, lock=_lock)


def imagined(connection: Connection, only: int | None = None) -> State:
    """A copy of them, perhaps of one customer only; it goes with the connection's transaction."""
    lay_out(connection, *_TWINS)
    for table, twin in zip(_KEPT, _TWINS, strict=True):
        theirs = only is not None and "customer_id" in table.c
        rows = select(table).where(table.c.customer_id == only) if theirs else select(table)
        connection.execute(twin.insert().from_select([column.name for column in table.columns], rows))
    return _state(_TWINS, lock=lambda _connection, _runs: None)


def read_at(connection: Connection, clock: Clock) -> datetime:
    """What time it is for a connection that reads: no run that it sees is later."""
    last_at(connection, tables.looks)  # what it sees is settled by its first question
    return clock.now()


def refuse_the_past(connection: Connection, now: datetime) -> None:
    """A plan for an instant before the last run would rest on what was not decided yet."""
    last = last_at(connection, tables.looks)
    if last is not None and now < last:
        msg = (
            f"a run at {last:%Y-%m-%d %H:%M}Z has decided more since then, so no plan can be made for earlier"
        )
        raise UsageError(msg, hint="explain and segment tell what was; preview tells what comes")


def be_the_planner(connection: Connection, owner: str) -> None:
    """Plan once, whoever leads: wait for any planner to commit; until our own commit we are the only one."""
    leases = tables.leases
    row = {"name": PLANNER, "owner": owner, "epoch": 0, "expires_at": 0}
    unchanged = {"epoch": leases.c.epoch}
    statement = insert(connection.dialect, leases).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=unchanged))


def _lock(connection: Connection, runs: Table) -> None:
    lock_contacts(connection, select(runs.c.customer_id))
