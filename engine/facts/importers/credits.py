"""Credits that name no order: they lower what was spent, at their own time, and touch nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, select, type_coerce

from engine.clock import to_micros
from engine.facts.batches import batched
from engine.facts.bulk import Values, insert_plain, remove
from engine.facts.importers.importer import Landing, Outcome
from engine.facts.model import Refund
from engine.facts.transactions import Key
from engine.store.tables import refunds

Stored = dict[tuple[int, str], Refund]  # by customer and refund_ref


def land_credits(
    connection: Connection, credited: Mapping[Key, Sequence[Refund]], landing: Landing, outcome: Outcome
) -> set[int]:
    """Land the credits of each note (customer, number), and say for whom. A known note is replaced."""
    stored = _stored(connection, sorted({customer for customer, _ in credited}))
    wanted: Stored = {(key[0], each.ref): each for key, note in credited.items() for each in note}
    for key, credit in wanted.items():
        if key not in stored:
            outcome.inserted += 1
        elif stored[key] != credit:
            outcome.updated += 1
        else:
            outcome.unchanged += 1
    gone = [key for key, credit in stored.items() if _replaced(key, credit, credited, wanted)]
    remove(connection, refunds, ("customer_id", "refund_ref"), gone)
    news = sorted(key for key, credit in wanted.items() if stored.get(key) != credit)
    now = to_micros(landing.now)
    insert_plain(connection, refunds, [_row(key[0], wanted[key], now) for key in news])
    return {customer for customer, _ in (*gone, *news)}


def _replaced(key: Key, credit: Refund, credited: Mapping[Key, Any], wanted: Stored) -> bool:
    """Whether a stored credit belongs to a note that now says otherwise, or no more of it."""
    number = credit.ref.removeprefix("credit:").removesuffix(f"/{credit.line_ref}")
    return (key[0], number) in credited and wanted.get(key) != credit


def _stored(connection: Connection, customer_ids: Sequence[int]) -> Stored:
    table = refunds.c
    at = type_coerce(table.at, BigInteger)
    asked = select(table.customer_id, table.refund_ref, table.line_ref, table.sku, at, table.amount)
    found: Stored = {}
    for part in batched(customer_ids):
        rows = connection.execute(asked.where(table.customer_id.in_(part), table.order_ref == ""))
        found.update({(customer, credit[0]): Refund(*credit) for customer, *credit in rows})
    return found


def _row(customer_id: int, credit: Refund, now: int) -> Values:
    return (customer_id, credit.ref, "", credit.line_ref, credit.sku, credit.at, credit.amount, None, now)
