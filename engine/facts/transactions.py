"""Which orders belong to one checkout, and which of them are the customer's front end.

The orders of a customer are walked in order of time. An order joins the transaction that holds an
order of its checkout; else the latest one, if it came within the window of that one's first order;
else it opens a new one. The window runs from the first order and never slides, so the answer depends
on the orders alone, not on the order in which they were imported.

A free order makes nobody a customer, so it does not open their first transaction, though it may join it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from engine.facts.batches import batched
from engine.facts.bulk import as_kept, insert_plain, remove
from engine.store.tables import order_lines, orders, transactions

FRONT, BACK = "front", "back"
Key = tuple[int, str]  # customer, order number


class Placed(NamedTuple):
    """A paid order, as far as transactions ask."""

    at: int
    ref: str
    checkout_id: str
    free: bool = False


@dataclass(slots=True)
class Transaction:
    """The orders of one checkout; 1 is the customer's first."""

    number: int
    first_ref: str
    opened_at: int
    closes_at: int
    last_addition_at: int
    refs: list[str]

    def add(self, order: Placed) -> None:
        self.refs.append(order.ref)
        self.last_addition_at = max(self.last_addition_at, order.at)


def transactions_of(placed: Iterable[Placed], window: int) -> list[Transaction]:
    """The transactions of one customer's paid orders, in order of opening; `window` in microseconds."""
    found: list[Transaction] = []
    by_checkout: dict[str, Transaction] = {}
    early: list[Placed] = []  # free orders before the first paid one
    for order in sorted(placed):
        joined = by_checkout.get(order.checkout_id) if order.checkout_id else None
        if joined is None and found and order.at <= found[-1].closes_at:
            joined = found[-1]
        if joined is not None:
            joined.add(order)
        elif order.free and not found:
            early.append(order)
            continue
        else:
            joined = _opened(order, len(found) + 1, window)
            found.append(joined)
        if order.checkout_id:
            by_checkout.setdefault(order.checkout_id, joined)
    for order in early:
        if order.checkout_id in by_checkout:
            by_checkout[order.checkout_id].add(order)
    return found


def derive_transactions(
    connection: Connection, customer_ids: Iterable[int], window: int
) -> Mapping[Key, str]:
    """Bring the transactions of these customers in line with their paid orders.

    Says of each of their paid orders whether it is `front` or `back`; `write_sides` puts that on lines.
    """
    sides: dict[Key, str] = {}
    for part in batched(sorted(customer_ids)):
        placed = _placed(connection, part)
        derived = {customer: transactions_of(their, window) for customer, their in placed.items()}
        _write(connection, part, derived)
        for customer, found in derived.items():
            sides.update({(customer, order.ref): BACK for order in placed[customer]})
            sides.update({(customer, ref): _side(each) for each in found for ref in each.refs})
    return sides


def write_sides(connection: Connection, sides: Mapping[Key, str]) -> None:
    """Put front and back on the stored lines of these orders, where they say otherwise."""
    if sides:
        rows = [
            {"its_id": key[0], "its_ref": key[1], "its_side": side} for key, side in sorted(sides.items())
        ]
        connection.execute(_SIDE, rows)


def _side(transaction: Transaction) -> str:
    return FRONT if transaction.number == 1 else BACK


def _opened(order: Placed, number: int, window: int) -> Transaction:
    return Transaction(number, order.ref, order.at, order.at + window, order.at, [order.ref])


def _placed(connection: Connection, customer_ids: Sequence[int]) -> dict[int, list[Placed]]:
    table = orders.c
    free = table.amount == 0
    asked = select(table.customer_id, as_kept(table.at), table.order_ref, table.checkout_id, free)
    placed: dict[int, list[Placed]] = {}
    for customer, *order in connection.execute(asked.where(table.customer_id.in_(customer_ids), table.paid)):
        placed.setdefault(customer, []).append(Placed(*order))
    return placed


def _write(
    connection: Connection, customer_ids: Sequence[int], derived: Mapping[int, Sequence[Transaction]]
) -> None:
    wanted = {
        (customer, each.first_ref): (each.opened_at, each.closes_at, each.last_addition_at, each.number)
        for customer, found in derived.items()
        for each in found
    }
    stored = _stored(connection, customer_ids)
    outdated = [key for key, values in stored.items() if wanted.get(key) != values]
    remove(connection, transactions, ("customer_id", "first_order_ref"), outdated)
    news = sorted(key + values for key, values in wanted.items() if stored.get(key) != values)
    insert_plain(connection, transactions, news)


def _stored(connection: Connection, customer_ids: Sequence[int]) -> dict[Key, tuple[int, ...]]:
    table = transactions.c
    times = map(as_kept, (table.opened_at, table.closes_at, table.last_addition_at))
    asked = select(table.customer_id, table.first_order_ref, *times, table.number)
    rows = connection.execute(asked.where(table.customer_id.in_(customer_ids)))
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


_SIDE = (
    update(order_lines)
    .where(
        order_lines.c.customer_id == bindparam("its_id"),
        order_lines.c.order_ref == bindparam("its_ref"),
        order_lines.c.side != bindparam("its_side"),
    )
    .values(side=bindparam("its_side"))
)
