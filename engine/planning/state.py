"""Where a plan finds what was decided before, and where it is written down.

`kept` is the store's own tables, `imagined` a copy that only this connection sees. The plan and its
merge are the same over both: that is all the difference between a run and a preview.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from engine.errors import UsageError
from engine.store import tables
from engine.store.dialect import insert, lay_out, memory_twin


@dataclass(frozen=True)
class State:
    """The four tables that a plan reads and its merge writes, and how to be alone with them."""

    membership: Table
    enrollments: Table
    decisions: Table
    messages: Table
    lock: Callable[[Connection, Table], None]


_KEPT = (tables.membership, tables.enrollments, tables.decisions, tables.messages)
_TWINS = tuple(memory_twin(table) for table in _KEPT)


def kept() -> State:
    """The store's own tables."""
    return State(*_KEPT, lock=_lock_contacts)


def imagined(connection: Connection, only: int | None = None) -> State:
    """A copy of them, perhaps of one customer only; it goes with the connection's transaction."""
    lay_out(connection, *_TWINS)
    for table, twin in zip(_KEPT, _TWINS, strict=True):
        rows = select(table) if only is None else select(table).where(table.c.customer_id == only)
        connection.execute(twin.insert().from_select([column.name for column in table.columns], rows))
    membership, enrollments, decisions, messages = _TWINS
    return State(membership, enrollments, decisions, messages, lock=lambda _connection, _runs: None)


def last_planned(connection: Connection) -> datetime | None:
    """The instant of the latest plan that was kept."""
    kept_at = (tables.membership.c.since, tables.enrollments.c.updated_at, tables.decisions.c.at)
    latest = [connection.scalar(select(func.max(at, type_=at.type))) for at in kept_at]
    return max((at for at in latest if at is not None), default=None)


def refuse_the_past(connection: Connection, now: datetime) -> None:
    """A plan for an instant before the last run would rest on what was not decided yet."""
    last = last_planned(connection)
    if last is not None and now < last:
        msg = (
            f"a run at {last:%Y-%m-%d %H:%M}Z has decided more since then, so no plan can be made for earlier"
        )
        raise UsageError(msg, hint="explain and segment tell what was; preview tells what comes")


def be_the_planner(connection: Connection, owner: str) -> None:
    """Wait for any other planner to commit; until our own commit we are the only one."""
    leases = tables.leases
    statement = insert(connection.dialect, leases).values(name="planner", owner=owner, epoch=1, expires_at=0)
    changes = {"owner": owner, "epoch": leases.c.epoch + 1}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changes))


def _lock_contacts(connection: Connection, runs: Table) -> None:
    """Lock the customers about to be counted, in their order (SQLite's writer is alone anyway)."""
    contact = tables.contact_state
    rows = select(contact.c.customer_id).where(contact.c.customer_id.in_(select(runs.c.customer_id)))
    locked = connection.execute(rows.order_by(contact.c.customer_id).with_for_update())
    for _ in locked.partitions(10_000):
        pass
