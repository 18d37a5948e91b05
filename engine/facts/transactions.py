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
Row = tuple[int, str, int, int, int, int]  # of the table


class PaidOrder(NamedTuple):
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

    def add(self, order: PaidOrder) -> None:
        self.refs.append(order.ref)
        self.last_addition_at = max(self.last_addition_at, order.at)


Derived = Mapping[int, Sequence[Transaction]]  # by customer


def transactions_of(placed: Iterable[PaidOrder], window: int) -> list[Transaction]:
    """The transactions of one customer's paid orders, in order of opening; `window` in microseconds."""
    found: list[Transaction] = []
    by_checkout: dict[str, Transaction] = {}
    early: list[PaidOrder] = []  # free orders before the first paid one
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
        derived = _derived(_placed(connection, part), window, sides)
        _replace(connection, part, derived)
    return sides


def begin_transactions(
    connection: Connection, placed: Mapping[int, Sequence[PaidOrder]], window: int
) -> Mapping[Key, str]:
    """The same for customers of whom nothing is stored: these are all their paid orders."""
    sides: dict[Key, str] = {}
    insert_plain(connection, transactions, _rows(_derived(placed, window, sides)))
    return sides


def write_sides(connection: Connection, sides: Mapping[Key, str]) -> None:
    """Put front and back on the stored lines of these orders, where they say otherwise."""
    if sides:
        rows = [
            {"its_id": key[0], "its_ref": key[1], "its_side": side} for key, side in sorted(sides.items())
        ]
        connection.execute(_SIDE, rows)


def _derived(placed: Mapping[int, Sequence[PaidOrder]], window: int, sides: dict[Key, str]) -> Derived:
    """The transactions of each customer; which of the orders are front and which back goes to `sides`."""
    derived = {}
    for customer, theirs in placed.items():
        derived[customer] = found = transactions_of(theirs, window)
        for order in theirs:
            sides[customer, order.ref] = BACK
        for ref in found[0].refs if found else ():
            sides[customer, ref] = FRONT
    return derived


def _opened(order: PaidOrder, number: int, window: int) -> Transaction:
    return Transaction(number, order.ref, order.at, order.at + window, order.at, [order.ref])


def _placed(connection: Connection, customer_ids: Sequence[int]) -> dict[int, list[PaidOrder]]:
    table = orders.c
    free = table.amount == 0
    asked = select(table.customer_id, as_kept(table.at), table.order_ref, table.checkout_id, free)
    placed: dict[int, list[PaidOrder]] = {}
    for customer, *order in connection.execute(asked.where(table.customer_id.in_(customer_ids), table.paid)):
        placed.setdefault(customer, []).append(PaidOrder(*order))
    return placed


def _rows(derived: Derived) -> list[Row]:
    return sorted(
        (customer, each.first_ref, each.opened_at, each.closes_at, each.last_addition_at, each.number)
        for customer, found in derived.items()
        for each in found
    )


def _replace(connection: Connection, customer_ids: Sequence[int], derived: Derived) -> None:
    """Take away the stored transactions that are otherwise now, and write those that are not stored."""
    wanted, stored = _rows(derived), _stored(connection, customer_ids)
    outdated = stored - {*wanted}
    remove(connection, transactions, ("customer_id", "first_order_ref"), [row[:2] for row in outdated])
    insert_plain(connection, transactions, [row for row in wanted if row not in stored])


def _stored(connection: Connection, customer_ids: Sequence[int]) -> set[Row]:
    asked = select(*map(as_kept, transactions.columns))
    rows = connection.execute(asked.where(transactions.c.customer_id.in_(customer_ids)))
    return {(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows}


_SIDE = (
    update(order_lines)
    .where(
        order_lines.c.customer_id == bindparam("its_id"),
        order_lines.c.order_ref == bindparam("its_ref"),
        order_lines.c.side != bindparam("its_side"),
    )
    .values(side=bindparam("its_side"))
)
