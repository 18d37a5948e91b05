"""How orders land: each whole, and a later import of an order takes its place."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, select

from engine.clock import to_micros
from engine.facts.assembly import assemble
from engine.facts.batches import batched
from engine.facts.bulk import Values, insert_plain, remove
from engine.facts.exchange import Exchange
from engine.facts.identity import People, lock_customers
from engine.facts.importers.credits import land_credits
from engine.facts.importers.importer import Landing, Outcome, refuse_nobody
from engine.facts.importers.keeping import alone, bring_back
from engine.facts.importers.settling import settle
from engine.facts.model import LineRow, Order
from engine.facts.refusal import Refused
from engine.facts.transactions import (
    Key,
    PaidOrder,
    begin_transactions,
    derive_transactions,
    write_sides,
)
from engine.store.tables import order_lines, orders, refunds

# what the table of orders says between its key and recorded_at, which an Order says in the same order
_kept = itemgetter(*range(Order._fields.index("at"), Order._fields.index("digest") + 1))


class Placed(NamedTuple):
    """Orders with their customers, by what is to be done with them."""

    new: dict[Key, Order]
    changed: dict[Key, Order]

    @property
    def all(self) -> dict[Key, Order]:
        return self.new | self.changed if self.changed else self.new


def land_orders(connection: Connection, rows: Sequence[LineRow], landing: Landing) -> Outcome:
    outcome = Outcome()
    assembled = _exchanged(connection, _assembled(rows, outcome), landing, outcome)
    people = People(assembled, landing.ids)
    people.load(connection)
    placed = _with_customers(people, assembled, outcome)
    sold = {key: order for key, order in placed.items() if order.sales}
    digests = _digests(connection, people.stored())
    todo = _sorted_out(sold, digests, landing.spoiled, outcome)
    moved = _with_others(connection, todo.new)
    _count_moved(todo.new, moved, outcome)
    outcome.moved.tell(*sorted(ref for customer, ref in moved if customer not in people.merged))
    touched = people.write(connection, landing.now)
    outcome.shortened.tell(*_shortened(connection, todo.changed))
    outcome.overdrawn.tell(*_write(connection, todo, moved, digests, people.met(), landing))
    credited = {key: order.credits for key, order in placed.items() if order.credits}
    touched |= land_credits(connection, credited, landing, outcome)
    touched |= {customer for customer, _ in (*todo.all, *moved)}
    return settle(connection, people, touched, landing, outcome)


def _assembled(rows: Iterable[LineRow], outcome: Outcome) -> list[Order]:
    found = []
    for _, group in groupby(rows, attrgetter("order_ref")):
        order, refusals = assemble(list(group))
        outcome.refused += refusals
        if order.sales or order.credits:
            found.append(order)
    return found


def _exchanged(
    connection: Connection, assembled: Sequence[Order], landing: Landing, outcome: Outcome
) -> list[Order]:
    """The orders in the shop's currency; one whose rate is missing is refused whole."""
    exchange = Exchange(landing.money, landing.zone)
    exchange.load(connection, (order.currency for order in assembled))
    found = []
    for order in assembled:
        try:
            found.append(exchange.in_shops_currency(order))
        except Refused as refused:
            outcome.refuse([*order.sales, *order.credit_rows], refused)
    return found


def _with_customers(people: People, assembled: Iterable[Order], outcome: Outcome) -> dict[Key, Order]:
    found: dict[Key, Order] = {}
    for order in assembled:
        try:
            refuse_nobody(order)
            person = people.find(order, _first_at(order))
        except Refused as refused:
            outcome.refuse([*order.sales, *order.credit_rows], refused)
        else:
            found[person.id, order.ref] = order
    return found


def _first_at(order: Order) -> int:
    if not order.credits:
        return order.at
    return min([*([order.at] if order.sales else []), *(credit.at for credit in order.credits)])


def _digests(connection: Connection, customer_ids: Sequence[int]) -> dict[Key, str]:
    """What is stored of these customers' orders."""
    table = orders.c
    found: dict[Key, str] = {}
    for part in batched(customer_ids):
        asked = select(table.customer_id, table.order_ref, table.digest).where(table.customer_id.in_(part))
        found.update({(row[0], row[1]): row[2] for row in connection.execute(asked)})
    return found


_SPOILED = Refused("is of an order with another rejected row, so the order stays as it was")


def _with_others(connection: Connection, new: Mapping[Key, Order]) -> set[Key]:
    """Orders that stand with another customer so far: an order has one number and one owner."""
    table = orders.c
    found: set[Key] = set()
    for part in batched(sorted({ref for _, ref in new})):
        asked = select(table.customer_id, table.order_ref).where(table.order_ref.in_(part))
        found.update((row[0], row[1]) for row in connection.execute(asked))
    return found - new.keys()


def _count_moved(new: Mapping[Key, Order], moved: Set[Key], outcome: Outcome) -> None:
    refs = {ref for _, ref in moved}
    lines = sum(len(order.sales) for (_, ref), order in new.items() if ref in refs)
    outcome.inserted -= lines
    outcome.updated += lines


def _sorted_out(
    sold: Mapping[Key, Order], digests: Mapping[Key, str], spoiled: Container[str], outcome: Outcome
) -> Placed:
    placed = Placed({}, {})
    for key, order in sorted(sold.items()):
        stored = digests.get(key)
        if stored is None:
            placed.new[key] = order
            outcome.inserted += len(order.sales)
        elif stored != order.digest and order.ref in spoiled:
            outcome.refuse(order.sales, _SPOILED)
        elif stored != order.digest:
            placed.changed[key] = order
            outcome.updated += len(order.sales)
        else:
            outcome.unchanged += len(order.sales)
    return placed


def _write(
    connection: Connection,
    placed: Placed,
    moved: Set[Key],
    digests: Mapping[Key, str],
    met: Set[int],
    landing: Landing,
) -> Sequence[str]:
    """Lines come last, since only all orders of a customer together say which are the front end.

    Tells which refunds count no more.
    """
    todo = placed.all
    if not todo:
        return ()
    stored = {customer for customer, _ in (*todo, *moved)} - met
    lock_customers(connection, stored)
    kept = alone(connection, {*placed.changed, *moved})
    _clear(connection, {*placed.changed, *moved})
    now = to_micros(landing.now)
    insert_plain(connection, orders, [(*key, *_kept(order), now) for key, order in todo.items()])
    sides = {
        **derive_transactions(connection, stored, landing.window),
        **begin_transactions(connection, _paid_orders(todo, met), landing.window),
    }
    insert_plain(connection, order_lines, list(_lines(todo, sides, now)))
    insert_plain(connection, refunds, list(_refunds(todo, now)))
    overdrawn = bring_back(connection, kept, todo)
    earlier = digests.keys() - todo.keys()
    write_sides(connection, {key: sides[key] for key in earlier if key in sides})
    return overdrawn


def _clear(connection: Connection, changed: Set[Key]) -> None:
    """Take away orders that are to be replaced, with all that hangs on them."""
    for table in (order_lines, refunds, orders):
        remove(connection, table, ("customer_id", "order_ref"), changed)


def _shortened(connection: Connection, changed: Mapping[Key, Order]) -> list[str]:
    """The orders that have lines which are not among those they come with now."""
    table = order_lines.c
    found: set[str] = set()
    named = {(*key, line.ref) for key, order in changed.items() for line in order.lines}
    for part in batched(sorted({customer for customer, _ in changed})):
        asked = select(table.customer_id, table.order_ref, table.line_ref)
        for row in connection.execute(asked.where(table.customer_id.in_(part))):
            if (row[0], row[1]) in changed and tuple(row) not in named:
                found.add(row[1])
    return sorted(found)


def _paid_orders(todo: Mapping[Key, Order], customer_ids: Set[int]) -> dict[int, list[PaidOrder]]:
    """The paid orders of these customers."""
    found: dict[int, list[PaidOrder]] = {}
    for (customer, ref), order in todo.items():
        if order.paid and customer in customer_ids:
            paid = PaidOrder(order.at, ref, order.checkout_id, order.amount == 0)
            found.setdefault(customer, []).append(paid)
    return found


def _lines(todo: Mapping[Key, Order], sides: Mapping[Key, str], now: int) -> Iterator[Values]:
    for key, order in todo.items():
        (customer, ref), at, side = key, order.at, sides.get(key, "")
        for name, sku, quantity, amount, position, refunded_at in order.lines:
            yield customer, ref, name, sku, at, quantity, amount, position, side, refunded_at, now


def _refunds(todo: Mapping[Key, Order], now: int) -> Iterator[Values]:
    for (customer, ref), order in todo.items():
        for name, line_ref, sku, at, amount in order.refunds:
            yield customer, name, ref, line_ref, sku, at, amount, None, now
