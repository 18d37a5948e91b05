"""Whose answer may have changed since the last look: the change queue, and what the clock brought about."""

from sqlalchemy import Connection, Table, delete, exists, select

from engine.audience.judged import CANDIDATES, TAKEN
from engine.audience.questions import Questions
from engine.rules.model import CustomerIds
from engine.store.dialect import insert_from_select


def take_changes(connection: Connection, changes: Table) -> None:
    """Move the queue into the candidates. What is committed to it meanwhile stays for the next look."""
    queue = select(changes.c.customer_id, changes.c.change_id)
    connection.execute(TAKEN.insert().from_select(["customer_id", "change_id"], queue))
    same = (TAKEN.c.customer_id == changes.c.customer_id, TAKEN.c.change_id == changes.c.change_id)
    connection.execute(delete(changes).where(exists().where(*same)))
    _add(connection, select(TAKEN.c.customer_id).distinct())


def note_time(connection: Connection, asked: Questions) -> None:
    """Add those whom the time may have carried into or out of an audience."""
    for who in asked.crossings:
        _add(connection, who)


def be_only(connection: Connection, customer_id: int) -> None:
    """One customer is the only candidate."""
    connection.execute(CANDIDATES.insert(), {"customer_id": customer_id})


def _add(connection: Connection, who: CustomerIds) -> None:
    insert_from_select(connection, CANDIDATES, ["customer_id"], who)
