"""Since when a line, and an order as a whole, has been fully refunded: worked out from its refunds.

A line is when the refunds that name it reach its amount; an order when all its lines are, or when all
its refunds together reach its own amount, which refunds all its lines. Where the exchange rounded each
of them, what it may have rounded away is not missed.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, select, update

from engine.facts.batches import batched
from engine.facts.bulk import as_kept
from engine.facts.transactions import Key
from engine.store.tables import order_lines, orders, refunds


class Sold(NamedTuple):
    """A line as sold."""

    ref: str
    amount: int


class Back(NamedTuple):
    """Money that went back at a time, for a line or ('') for the order."""

    at: int
    line_ref: str
    amount: int


class Since(NamedTuple):
    """Since when; None = not fully refunded."""

    lines: dict[str, int | None]
    order: int | None


def refunded_since(
    lines: Iterable[Sold], backs: Iterable[Back], amount: int, *, rounded: bool = False
) -> Since:
    """For one order of that amount, in minor units and microseconds; perhaps `rounded` by the exchange."""
    in_turn = sorted(backs)
    whole = _reached(in_turn, amount, rounded=rounded) if amount else None
    found = {line.ref: _of_line(line, in_turn, whole, rounded=rounded) for line in lines}
    times = [since for since in found.values() if since is not None]
    return Since(found, max(times) if times and len(times) == len(found) else None)


def _of_line(line: Sold, in_turn: Sequence[Back], whole: int | None, *, rounded: bool) -> int | None:
    theirs = [back for back in in_turn if back.line_ref == line.ref]
    own = _reached(theirs, line.amount, rounded=rounded)
    times = [since for since in (own, whole) if since is not None]
    return min(times, default=None)


def _reached(in_turn: Iterable[Back], amount: int, *, rounded: bool) -> int | None:
    """The time of the refund with which they reach the amount."""
    total = 0
    for count, back in enumerate(in_turn, 1):
        total += back.amount
        missing = count // 2 if rounded else 0  # half a unit of each
        if total >= amount - missing:
            return back.at
    return None


def mark_refunded(connection: Connection, keys: Iterable[Key]) -> None:
    """Put on these orders and their lines since when they have been fully refunded."""
    for part in batched(sorted(keys)):
        _mark(connection, part)


def _mark(connection: Connection, keys: Sequence[Key]) -> None:
    amounts = _by_order(connection, orders, keys, "amount", "charged", "refunded_at")
    lines = _by_order(connection, order_lines, keys, "line_ref", "amount", "refunded_at")
    backs = _by_order(connection, refunds, keys, "at", "line_ref", "amount")
    new_orders, new_lines = [], []
    for key in keys:
        [(amount, charged, before)] = amounts[key]
        sold = [Sold(ref, cost) for ref, cost, _ in lines[key]]
        gone = [Back(*back) for back in backs[key] if back[-1]]
        since = refunded_since(sold, gone, amount, rounded=charged != amount)
        if since.order != before:
            new_orders.append({"its_id": key[0], "its_ref": key[1], "since": since.order})
        new_lines += [
            {"its_id": key[0], "its_ref": key[1], "its_line": ref, "since": since.lines[ref]}
            for ref, _, marked in lines[key]
            if marked != since.lines[ref]
        ]
    if new_orders:
        connection.execute(_ORDER, new_orders)
    if new_lines:
        connection.execute(_LINE, new_lines)


def _by_order(
    connection: Connection, table: Table, keys: Sequence[Key], *names: str
) -> dict[Key, list[tuple[Any, ...]]]:
    """What a table says of each of these orders."""
    found: dict[Key, list[tuple[Any, ...]]] = {key: [] for key in keys}
    columns = (as_kept(table.c[name]) for name in names)
    asked = select(table.c.customer_id, table.c.order_ref, *columns)
    customer_ids, refs = {key[0] for key in keys}, {key[1] for key in keys}
    theirs = asked.where(table.c.customer_id.in_(customer_ids), table.c.order_ref.in_(refs))
    for customer, ref, *rest in connection.execute(theirs):
        if (customer, ref) in found:
            found[customer, ref].append(tuple(rest))
    return found


_ORDER = (
    update(orders)
    .where(orders.c.customer_id == bindparam("its_id"), orders.c.order_ref == bindparam("its_ref"))
    .values(refunded_at=bindparam("since"))
)
_LINE = (
    update(order_lines)
    .where(
        order_lines.c.customer_id == bindparam("its_id"),
        order_lines.c.order_ref == bindparam("its_ref"),
        order_lines.c.line_ref == bindparam("its_line"),
    )
    .values(refunded_at=bindparam("since"))
)
