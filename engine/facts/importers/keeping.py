"""An order that comes again keeps the refunds that came by themselves, at the rate it has by then."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from sqlalchemy import Connection, select

from engine.facts.batches import batched
from engine.facts.bulk import Values, as_kept, insert_plain
from engine.facts.importers.counting import Back, Bounds, too_much
from engine.facts.importers.refund_amounts import Paid, as_charged, at_its_rate, in_units_of
from engine.facts.importers.refunds import refund_ref
from engine.facts.model import Order
from engine.facts.refunded import mark_refunded
from engine.facts.transactions import Key
from engine.store.tables import orders, refunds


class Kept(NamedTuple):
    """A refund, and what its order cost until now."""

    ref: str
    order_ref: str
    line_ref: str
    sku: str
    at: int
    amount: int
    charged: int | None
    recorded_at: int
    before: Paid


def alone(connection: Connection, keys: Set[Key]) -> list[Kept]:
    """The refunds of these orders that came by themselves: an order that comes again does not name them."""
    found: list[Kept] = []
    for part in batched(sorted({customer for customer, _ in keys})):
        found += _theirs(connection, part, keys)
    return found


def _theirs(connection: Connection, customer_ids: Sequence[int], keys: Set[Key]) -> Iterator[Kept]:
    row, of = refunds.c, orders.c
    same = (of.customer_id == row.customer_id) & (of.order_ref == row.order_ref)
    asked = select(*map(as_kept, row), of.amount, of.currency, of.charged).join_from(refunds, orders, same)
    for customer, *rest in connection.execute(asked.where(row.customer_id.in_(customer_ids))):
        kept = Kept._make((*rest[:-3], Paid._make(rest[-3:])))
        if (customer, kept.order_ref) in keys and kept.ref.startswith(refund_ref(kept.order_ref, "")):
            yield kept


def bring_back(connection: Connection, kept: Sequence[Kept], todo: Mapping[Key, Order]) -> list[str]:
    """Put those refunds on the orders as they are now; the names of those that count no more."""
    owners = {ref: customer for customer, ref in todo}
    rows = [_row(owners[each.order_ref], each, todo[owners[each.order_ref], each.order_ref]) for each in kept]
    over = set().union(*(_over(todo[key], theirs) for key, theirs in _by_order(rows).items()))
    insert_plain(connection, refunds, [(*row[:6], 0, *row[7:]) if row[1] in over else row for row in rows])
    mark_refunded(connection, {(row[0], row[2]) for row in rows})
    return sorted(each.ref for each in kept if each.ref in over and each.amount)


def _by_order(rows: Iterable[Values]) -> Mapping[Key, list[Values]]:
    found: dict[Key, list[Values]] = {}
    for row in rows:
        found.setdefault((row[0], row[2]), []).append(row)
    return found


def _over(order: Order, kept: Iterable[Values]) -> set[str]:
    """Those of its refunds that would be more than is left of what was paid."""
    prices = {line.ref: line.amount for line in order.lines}
    given = [Back(False, each.at, each.ref, each.line_ref, each.amount) for each in order.refunds]  # noqa: FBT003
    alone = [Back(True, row[5], row[1], row[3], row[6]) for row in kept]  # noqa: FBT003
    return too_much([*given, *alone], Bounds(order.amount, prices, rounded=order.charged != order.amount))


def _row(customer: int, kept: Kept, order: Order) -> Values:
    charged, cost = kept.charged, Paid(order.amount, order.currency, order.charged)
    if charged is None:  # of an older version
        charged = as_charged(kept.amount, kept.before)
    charged = in_units_of(cost.currency, charged, kept.before.currency)
    of_line = [line.amount for line in order.lines if line.ref == kept.line_ref]
    amount = at_its_rate(charged, of_line[0] if of_line else cost.amount, cost)
    return (customer, *kept[:5], amount, charged, kept.recorded_at)
