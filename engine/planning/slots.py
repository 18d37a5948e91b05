"""Which mails take a slot under the caps, and when: reserved by the plan, consumed when the mail leaves.

`unknown` counts, since the mail may have left; `rejected` and `cancelled` give the slot back. The
held-out take the slot that the mail would have taken. A mail that is decided anew takes none
meanwhile: it stands in line for another.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select

from engine.store.dialect import is_sqlite
from engine.store.tables import contact_state

TAKES_A_SLOT = ("scheduled", "sending", "accepted", "unknown", "held", "held_out")


def slot_at(mail: Table) -> ColumnElement[Any]:
    """SQL: the instant at which the mail counts."""
    return func.coalesce(mail.c.slot_at, mail.c.planned_at, type_=mail.c.planned_at.type)


def takes_slot(mail: Table, now: datetime) -> ColumnElement[bool]:
    """SQL: the mail counts, and is not decided anew at `now`."""
    decided_anew = and_(mail.c.status == "scheduled", mail.c.due_at <= now)
    return and_(mail.c.status.in_(TAKES_A_SLOT), ~decided_anew)


def lock_contacts(connection: Connection, whose: Sequence[int] | Select[tuple[int]]) -> None:
    """Nobody else counts or consumes slots of these customers until we commit.

    They are locked in their order, so that nobody waits in a circle; SQLite's writer is alone anyway.
    """
    if is_sqlite(connection):
        return
    contact = contact_state.c
    rows = select(contact.customer_id).where(contact.customer_id.in_(whose)).order_by(contact.customer_id)
    locked = connection.execute(rows.with_for_update())
    for _ in locked.partitions(10_000):
        pass
