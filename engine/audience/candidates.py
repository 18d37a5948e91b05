"""Whose answer may have changed since the last look: the change queue, and what the clock brought about."""

from sqlalchemy import Connection, Table, delete, exists, func, select

from engine.audience.judged import CANDIDATES, PASSED, PAYERS, TAKEN
from engine.audience.questions import Questions
from engine.rules.model import CustomerIds
from engine.store.dialect import gather_statistics, insert_from_select
from engine.store.tables import customers

FEW = 10_000  # so many are looked up in any case
MANY = 0.4  # of all customers; measured where a look at everybody costs as much


def take_changes(connection: Connection, changes: Table) -> None:
    """Move the queue into the candidates. What is committed to it meanwhile stays for the next look."""
    queue = select(changes.c.customer_id, changes.c.change_id)
    connection.execute(TAKEN.insert().from_select(["customer_id", "change_id"], queue))
    same = (TAKEN.c.customer_id == changes.c.customer_id, TAKEN.c.change_id == changes.c.change_id)
    connection.execute(delete(changes).where(exists().where(*same)))
    _add(connection, select(TAKEN.c.customer_id).distinct())


def note_time(connection: Connection, asked: Questions) -> None:
    """Note those whom the time may have carried into or out of an audience."""
    for who in asked.of_everybody:
        _add(connection, who)
    for who in asked.crossings:
        insert_from_select(connection, PASSED, ["customer_id", "campaign_id"], who)


def passed_in(connection: Connection) -> set[str]:
    """The campaigns to whose audience or goal the time may have carried somebody."""
    return set(connection.scalars(select(PASSED.c.campaign_id).distinct()))


def are_many(connection: Connection, campaigns: int) -> bool:
    """Whether asking about everybody at once is quicker than asking about each candidate."""
    count = select(func.count())
    by_all, by_one = (connection.scalar(count.select_from(table)) or 0 for table in (CANDIDATES, PASSED))
    asked = by_all + by_one / campaigns
    if asked < FEW:
        return False
    return asked > MANY * (connection.scalar(count.select_from(customers)) or 0)


def sift(connection: Connection, asked: Questions) -> None:
    """Find those among them who are customers at all; the database is told how few they are."""
    gather_statistics(connection, CANDIDATES)
    connection.execute(asked.payers)
    gather_statistics(connection, PAYERS)
    gather_statistics(connection, PASSED)


def be_only(connection: Connection, customer_id: int) -> None:
    """One customer is the only candidate."""
    connection.execute(CANDIDATES.insert(), {"customer_id": customer_id})


def _add(connection: Connection, who: CustomerIds) -> None:
    insert_from_select(connection, CANDIDATES, ["customer_id"], who)
