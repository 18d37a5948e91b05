"""An anonymous customer turns out to be a known one: what was theirs moves, at the end of a landing.

Facts move; where the known customer has the same fact already, theirs stays. Runs through campaigns move,
and of two the furthest goes on (see `uniting`). Messages keep the id they were made under, and are reached
through `customer_aliases`; those not yet sent are cancelled.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, update

from engine.facts.batches import batched
from engine.facts.bulk import as_kept
from engine.facts.identity import PROPERTIES, lock_customers
from engine.facts.standing import forget_derived, restate
from engine.facts.transactions import derive_transactions, write_sides
from engine.facts.uniting import RUNS, unite_runs
from engine.store.dialect import insert_ignoring
from engine.store.tables import (
    attributes,
    changes,
    consents,
    consumption,
    contact_state,
    customer_aliases,
    customers,
    funnel_events,
    identities,
    mail_events,
    messages,
    occasions,
    order_lines,
    orders,
    refunds,
    subscriptions,
    transactions,
)

FACTS = (
    attributes,
    consents,
    orders,
    order_lines,
    refunds,
    consumption,
    subscriptions,
    funnel_events,
    mail_events,
)
LOOKED_AT = (occasions,)  # what happened to them: it happened to the known one
DROPPED = (
    transactions,
    changes,
    contact_state,
    customers,
)  # made anew for the known customer, or theirs alone
KEPT = (messages, customer_aliases)
Merged = Mapping[int, int]  # the anonymous customer's id, and the known one's


def merge(connection: Connection, merged: Merged, window: int, now: datetime) -> set[int]:
    """Move everything of each anonymous customer to the known one; says who the known ones are."""
    for part in batched(sorted(merged)):
        _merge(connection, {owner: merged[owner] for owner in part}, window, now)
    return set(merged.values())


def _merge(connection: Connection, merged: Merged, window: int, now: datetime) -> None:
    known = sorted(set(merged.values()))
    lock_customers(connection, [*merged, *known])
    forget_derived(connection, [*merged, *known])
    for table in (*FACTS, *LOOKED_AT):
        _move(connection, table, _rows(connection, table, merged), merged)
    unite_runs(connection, merged, now)
    _cancel(connection, merged, now)
    _rename(connection, merged, now)
    for table in (*FACTS, *LOOKED_AT, *RUNS, *DROPPED):
        connection.execute(delete(table).where(table.c.customer_id.in_(merged)))
    restate(connection, known, now)
    write_sides(connection, derive_transactions(connection, known, window))
    _keep_current(connection, known, now)


def _rows(connection: Connection, table: Table, customer_ids: Iterable[int]) -> Sequence[Mapping[str, Any]]:
    columns = [as_kept(column).label(column.name) for column in table.columns]
    asked = select(*columns).where(table.c.customer_id.in_(customer_ids)).order_by(table.c.customer_id)
    return [dict(row) for row in connection.execute(asked).mappings()]


def _move(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], merged: Merged) -> None:
    """Give the rows to the known customers; a row that they have already stays as it is."""
    theirs = [{**row, "customer_id": merged[row["customer_id"]]} for row in rows]
    insert_ignoring(connection, table, theirs)


def _cancel(connection: Connection, merged: Merged, now: datetime) -> None:
    """What was planned for the anonymous customer, and has not left, stays."""
    waiting = update(messages).where(messages.c.customer_id.in_(merged), messages.c.status == "scheduled")
    connection.execute(
        waiting.values(status="cancelled", settled_at=now, error="merged into a known customer")
    )


def _rename(connection: Connection, merged: Merged, now: datetime) -> None:
    """From now on the anonymous customer's names and id lead to the known one."""
    pairs = [{"its_id": owner, "their_id": known} for owner, known in sorted(merged.items())]
    for table, column in ((identities, "customer_id"), (customer_aliases, "merged_into")):
        change = update(table).where(table.c[column] == bindparam("its_id"))
        connection.execute(change.values({column: bindparam("their_id")}), pairs)
    aliases = [
        {"customer_id": owner, "merged_into": known, "at": now} for owner, known in sorted(merged.items())
    ]
    insert_ignoring(connection, customer_aliases, aliases)


def _keep_current(connection: Connection, known: Sequence[int], now: datetime) -> None:
    """What is told of a person now is the last value of its history."""
    table = attributes.c
    asked = select(table.customer_id, table.name, table.value).order_by(table.at)
    rows = connection.execute(asked.where(table.customer_id.in_(known), table.name.in_(PROPERTIES)))
    latest = {(customer, name): value for customer, name, value in rows}
    for (customer, name), value in sorted(latest.items()):
        change = update(customers).where(customers.c.customer_id == customer, customers.c[name] != value)
        connection.execute(change.values({name: value, "recorded_at": now}))
