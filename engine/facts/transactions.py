"""Which orders belong to one checkout, and which of them are the customer's front end.

The orders of a customer are walked in order of time. An order joins the transaction that holds an
order of its checkout; else the latest one, if that is still open; else it opens a new one. It is open
until its window ends, which runs from the first order and never slides, or until the shop tells that its
checkout is completed or released. The answer depends on the facts alone, not on the order in which they
were imported.

A free order makes nobody a customer, so it does not open their first transaction, though it may join it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from engine.facts.batches import batched
from engine.facts.bulk import as_kept, insert_plain, remove
from engine.store.tables import funnel_events, order_lines, orders, transactions

FRONT, BACK = "front", "back"
COMPLETED, RELEASED, WINDOW = "completed", "released", "window"  # what closes one; of two at once the first
Key = tuple[int, str]  # customer, order number
Row = tuple[int, str, int, int, str, int, int]  # of the table


class PaidOrder(NamedTuple):
    """A paid order, as far as transactions ask."""

    at: int
    ref: str
    checkout_id: str
    free: bool = False


class Ending(NamedTuple):
    """The shop tells that a checkout is over: its funnel completed, or what was bought released."""

    at: int
    what: str
    checkout_id: str = ""  # '' = it does not say which


@dataclass(slots=True)
class Transaction:
    """The orders of one checkout; 1 is the customer's first."""

    number: int
    first_ref: str
    opened_at: int
    closes: tuple[int, str]  # when, and by what
    last_addition_at: int
    refs: list[str]

    @property
    def closes_at(self) -> int:
        return self.closes[0]

    def add(self, order: PaidOrder) -> None:
        self.refs.append(order.ref)
        self.last_addition_at = max(self.last_addition_at, order.at)

    def end(self, endings: Iterable[tuple[int, str]]) -> None:
        """The earliest of them closes it, if they come before its window ends."""
        self.closes = min([self.closes, *endings])


Derived = Mapping[int, Sequence[Transaction]]  # by customer


def transactions_of(
    placed: Iterable[PaidOrder], window: int, endings: Sequence[Ending] = ()
) -> list[Transaction]:
    """The transactions of one customer's paid orders, in order of opening; `window` in microseconds.

    An ending dated before the first order of its checkout closes at that order. One that names no
    checkout is of the transaction in whose window it lies.
    """
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
            joined.end(_nameless(endings, order.at, found[-1].opened_at if found else None, window))
            found.append(joined)
        if order.checkout_id and order.checkout_id not in by_checkout:
            by_checkout[order.checkout_id] = joined
            joined.end((max(e.at, order.at), e.what) for e in endings if e.checkout_id == order.checkout_id)
    for order in early:
        if order.checkout_id in by_checkout:
            by_checkout[order.checkout_id].add(order)
    return found


def _nameless(
    endings: Iterable[Ending], opened_at: int, before: int | None, window: int
) -> Iterator[tuple[int, str]]:
    """Those that name no checkout, of the transaction that opens; `before` is when the last one did.

    The order may be told a little later than that its funnel was completed. What is released before was
    of another order.
    """
    for ending in endings:
        if ending.checkout_id:
            continue
        if opened_at <= ending.at <= opened_at + window:
            yield ending.at, ending.what
        free = before is None or ending.at > before + window
        if free and ending.what == COMPLETED and opened_at - window <= ending.at < opened_at:
            yield opened_at, COMPLETED


def derive_transactions(
    connection: Connection, customer_ids: Iterable[int], window: int
) -> Mapping[Key, str]:
    """Bring the transactions of these customers in line with their paid orders, and how those ended.

    Says of each of their paid orders whether it is `front` or `back`; `write_sides` puts that on lines.
    """
    sides: dict[Key, str] = {}
    for part in batched(sorted(customer_ids)):
        derived = _derived(_placed(connection, part), window, sides, _endings(connection, part))
        _replace(connection, part, derived)
    return sides


def begin_transactions(
    connection: Connection, placed: Mapping[int, Sequence[PaidOrder]], window: int
) -> Mapping[Key, str]:
    """The same for customers of whom nothing is stored: these are all their paid orders."""
    sides: dict[Key, str] = {}
    insert_plain(connection, transactions, _rows(_derived(placed, window, sides, {})))
    return sides


def write_sides(connection: Connection, sides: Mapping[Key, str]) -> None:
    """Put front and back on the stored lines of these orders, where they say otherwise."""
    if sides:
        rows = [
            {"its_id": key[0], "its_ref": key[1], "its_side": side} for key, side in sorted(sides.items())
        ]
        connection.execute(_SIDE, rows)


def stored_transactions(connection: Connection, customer_id: int, window: int, now: int) -> list[Transaction]:
    """Those of one customer with the orders of each, by what had happened by `now`."""
    placed = _placed(connection, [customer_id]).get(customer_id, ())
    endings = _endings(connection, [customer_id]).get(customer_id, ())
    return transactions_of(
        (order for order in placed if order.at <= now), window, [each for each in endings if each.at <= now]
    )


def _derived(
    placed: Mapping[int, Sequence[PaidOrder]],
    window: int,
    sides: dict[Key, str],
    endings: Mapping[int, Sequence[Ending]],
) -> Derived:
    """The transactions of each customer; which of the orders are front and which back goes to `sides`."""
    derived = {}
    for customer, theirs in placed.items():
        derived[customer] = found = transactions_of(theirs, window, endings.get(customer, ()))
        for order in theirs:
            sides[customer, order.ref] = BACK
        for ref in found[0].refs if found else ():
            sides[customer, ref] = FRONT
    return derived


def _opened(order: PaidOrder, number: int, window: int) -> Transaction:
    return Transaction(number, order.ref, order.at, (order.at + window, WINDOW), order.at, [order.ref])


def _placed(connection: Connection, customer_ids: Sequence[int]) -> dict[int, list[PaidOrder]]:
    table = orders.c
    free = table.amount == 0
    asked = select(table.customer_id, as_kept(table.at), table.order_ref, table.checkout_id, free)
    placed: dict[int, list[PaidOrder]] = {}
    for customer, *order in connection.execute(asked.where(table.customer_id.in_(customer_ids), table.paid)):
        placed.setdefault(customer, []).append(PaidOrder(*order))
    return placed


def _endings(connection: Connection, customer_ids: Sequence[int]) -> dict[int, list[Ending]]:
    table = funnel_events.c
    asked = select(table.customer_id, as_kept(table.at), table.what, table.checkout_id)
    ended = asked.where(table.customer_id.in_(customer_ids), table.what.in_((COMPLETED, RELEASED)))
    found: dict[int, list[Ending]] = {}
    for customer, *ending in connection.execute(ended):
        found.setdefault(customer, []).append(Ending(*ending))
    return found


def _rows(derived: Derived) -> list[Row]:
    return sorted(
        (customer, each.first_ref, each.opened_at, *each.closes, each.last_addition_at, each.number)
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
    return {(row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in rows}


_SIDE = (
    update(order_lines)
    .where(
        order_lines.c.customer_id == bindparam("its_id"),
        order_lines.c.order_ref == bindparam("its_ref"),
        order_lines.c.side != bindparam("its_side"),
    )
    .values(side=bindparam("its_side"))
)
