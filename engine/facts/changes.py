"""The change queue: whose facts were written, for the next look at who is in which audience."""

from collections.abc import Iterable

from sqlalchemy import Connection

from engine.facts.bulk import insert_plain
from engine.store.ids import IdFactory
from engine.store.tables import changes


def note_changes(connection: Connection, customer_ids: Iterable[int], ids: IdFactory) -> None:
    """Queue each of these customers once, in the transaction that wrote their facts."""
    insert_plain(connection, changes, [(customer, ids.next()) for customer in sorted(set(customer_ids))])
