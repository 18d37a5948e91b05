"""Stored facts and settings agree: amounts are of the shop's currency, transactions of its window.

The currency cannot be changed under facts, for nothing says at which rate. The window can: whose
transactions they are is worked out anew for everybody, at the next import.
"""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection, literal, select

from engine.clock import format_duration, span
from engine.errors import SettingsError
from engine.facts.batches import AT_ONCE
from engine.facts.changes import note_changes
from engine.facts.identity import lock_customers
from engine.facts.transactions import derive_transactions, write_sides
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.dialect import upsert
from engine.store.ids import IdFactory
from engine.store.tables import imported_under, orders, rates, refunds, spend

CURRENCY, WINDOW = "shop.currency", "front_end.window"
_AMOUNTS = [select(literal(1)).select_from(table).limit(1) for table in (orders, refunds, rates, spend)]


def agree(store: Store, settings: Settings, ids: IdFactory) -> list[str]:
    """Before an import: notes on what was worked out anew. Raises SettingsError for another currency."""
    with store.reading() as connection:
        before = _stored(connection)
        _refuse_currency(connection, before.get(CURRENCY), settings.shop.currency)
    window = settings.front_end.window
    wanted = {CURRENCY: settings.shop.currency, WINDOW: format_duration(window)}
    if before == wanted:
        return []
    changed = WINDOW in before and before[WINDOW] != wanted[WINDOW]
    if changed:
        _derive_all(store, window, ids)
    with store.writing() as connection:
        upsert(
            connection, imported_under, [{"setting": name, "value": said} for name, said in wanted.items()]
        )
    note = f"{WINDOW} was {before.get(WINDOW)}, and is {wanted[WINDOW]}: transactions were worked out anew"
    return [note] if changed else []


def _refuse_currency(connection: Connection, before: str | None, now: str) -> None:
    if before not in (None, now) and any(connection.scalar(asked) for asked in _AMOUNTS):
        msg = f"shop.currency is {now}, but the database has amounts in {before}"
        raise SettingsError(msg, hint=f"set it back to {before}, or begin with a new database")


def _stored(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(imported_under.c.setting, imported_under.c.value))
    return {str(row[0]): str(row[1]) for row in rows}


def _derive_all(store: Store, window: timedelta, ids: IdFactory) -> None:
    """In short transactions; one that is broken off is done again, since the setting is noted last."""
    for part in _customers(store):
        with store.writing() as connection:
            lock_customers(connection, part)
            write_sides(connection, derive_transactions(connection, part, span(window)))
            note_changes(connection, part, ids)


def _customers(store: Store) -> Iterator[list[int]]:
    """Everybody with orders, in parts."""
    last = -1
    while True:
        asked = select(orders.c.customer_id).where(orders.c.customer_id > last).distinct()
        with store.reading() as connection:
            part = list(connection.scalars(asked.order_by(orders.c.customer_id).limit(AT_ONCE)))
        if not part:
            return
        yield part
        last = part[-1]
