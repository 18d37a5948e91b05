"""Refunds that come by themselves: money that went back for an order that is known already."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from babel.numbers import get_currency_precision
from sqlalchemy import Connection, select

from engine.clock import to_micros
from engine.facts.batches import batched
from engine.facts.bulk import Values, as_kept, insert_plain, remove
from engine.facts.columns import Column, Manner, plain
from engine.facts.exchange import Exchange
from engine.facts.identity import People, lock_customers
from engine.facts.importers.counting import TOO_MUCH, Back, Bounds, too_much
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome
from engine.facts.importers.refund_amounts import Paid, as_charged, at_its_rate, near
from engine.facts.importers.settling import settle
from engine.facts.model import Place, RefundRow
from engine.facts.refunded import mark_refunded
from engine.facts.refusal import Refused
from engine.facts.transactions import Key
from engine.facts.values import Parse
from engine.facts.values.numbers import minor
from engine.facts.values.words import currency, text
from engine.store.tables import order_lines, orders, refunds

REST = "rest"  # the amount of what did not go back otherwise
NONE = "none"  # that of what turned out to be no refund


def _positive(manner: Manner) -> Parse:
    def parse(value: str) -> str:
        if value.lower() in (REST, NONE):
            return value.lower()
        amount: Decimal = manner.amounts(value)
        if amount <= 0:
            msg = "is not above 0"
            raise Refused(msg, value[:40])
        return f"{amount:f}"

    return parse


COLUMNS = (
    *PERSON,
    Column("refund_id", plain(text(90)), required=True),
    Column("order_id", plain(text(100)), required=True),
    Column("line_id", plain(text(90))),
    Column("sku", plain(text(80))),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("amount", _positive, required=True),
    Column("currency", plain(currency)),
)


class Ordered(NamedTuple):
    """The order that a refund names."""

    customer: int
    at: int
    paid: bool
    cost: Paid
    lines: list[tuple[str, str, int]]  # ref, sku, amount

    @property
    def bounds(self) -> Bounds:
        prices = {ref: amount for ref, _, amount in self.lines}
        return Bounds(self.cost.amount, prices, rounded=self.cost.charged != self.cost.amount)


def refund_ref(order_ref: str, refund_id: str) -> str:
    """The name under which a refund that came by itself is kept."""
    return f"refund:{order_ref}/{refund_id}"


def _row(values: Sequence[Any], place: Place, _: bool) -> RefundRow:  # noqa: FBT001 - no credits here
    return RefundRow._make((*values, place))


def _land(connection: Connection, rows: Sequence[RefundRow], landing: Landing) -> Outcome:
    outcome = Outcome()
    people = People(rows, landing.ids)
    people.load(connection)
    ordered = _ordered(connection, sorted({row.order_ref for row in rows}))
    exchange = Exchange(landing.money, landing.zone)
    exchange.load(connection, (row.currency for row in rows if row.currency))
    stored = _stored(connection, sorted({order.customer for order in ordered.values()}))
    said, places = _said(people, rows, _Book(ordered, exchange, stored), outcome)
    latest = {key: theirs[-1] for key, theirs in said.items()}
    standing = _standing(_known(stored | latest), ordered)
    for key, theirs in said.items():
        after = standing.get(key)
        if after is not None and not _counts(after):
            outcome.refuse(places[key], TOO_MUCH)
        elif after is None and key not in stored:
            outcome.unchanged += len(theirs)
        else:
            outcome.count(stored.get(key), after, len(theirs))
    nothing = {key for key, values in latest.items() if values is None}
    written = _differing(standing, stored) | dict.fromkeys(nothing & stored.keys())
    lost = written.keys() & stored.keys() - said.keys()
    outcome.overdrawn.tell(*sorted(key[1] for key in lost if _counts(stored[key])))
    _write(connection, written, stored, to_micros(landing.now))
    return settle(connection, people, {customer for customer, _ in written}, landing, outcome)


# ── which of them count ─────────────────────────────────────────────────────────────────────────


def _known(told: Mapping[Key, Values | None]) -> dict[Key, Values]:
    return {key: values for key, values in told.items() if values is not None}


def _counts(values: Values) -> bool:
    return bool(values[4])


def _differing(standing: Mapping[Key, Values], stored: Mapping[Key, Values]) -> dict[Key, Values | None]:
    return {key: values for key, values in standing.items() if values != stored.get(key)}


def _standing(told: Mapping[Key, Values], ordered: Mapping[str, Ordered]) -> dict[Key, Values]:
    """The refunds of these orders that came by themselves: with their amounts, or with none where they count
    for nothing beside the others.
    """
    by_order: dict[str, dict[Key, Values]] = {}
    for key, values in told.items():
        if values[0] in ordered and ordered[values[0]].customer == key[0]:
            by_order.setdefault(values[0], {})[key] = values
    found: dict[Key, Values] = {}
    for ref, theirs in by_order.items():
        order = ordered[ref]
        over = too_much((_of(key, values, order) for key, values in theirs.items()), order.bounds)
        alone = {key: values for key, values in theirs.items() if _came_alone(key, values)}
        found |= {key: _as_it_counts(values, order, key[1] in over) for key, values in alone.items()}
    return found


def _came_alone(key: Key, values: Values) -> bool:
    return key[1].startswith(refund_ref(values[0], ""))


def _of(key: Key, values: Values, order: Ordered) -> Back:
    return Back(_came_alone(key, values), values[3], key[1], values[1], _told(values, order))


def _told(values: Values, order: Ordered) -> int:
    """Its amount as it was told. Of one that counts for nothing only what was charged back is kept."""
    line_ref, amount, charged = values[1], values[4], values[5]
    if amount or charged is None:
        return int(amount)
    return at_its_rate(charged, order.bounds.lines.get(line_ref, order.cost.amount), order.cost)


def _as_it_counts(values: Values, order: Ordered, over: bool) -> Values:  # noqa: FBT001 - what it is told
    amount, charged = _told(values, order), values[5]
    if not over:
        return (*values[:4], amount, charged)
    return (*values[:4], 0, as_charged(amount, order.cost) if charged is None else charged)


class _Book(NamedTuple):
    """The orders that refunds name, the rates of other money, and all refunds that are known."""

    ordered: dict[str, Ordered]
    exchange: Exchange
    stored: dict[Key, Values]


def _said(
    people: People, rows: Iterable[RefundRow], book: _Book, outcome: Outcome
) -> tuple[dict[Key, list[Values | None]], dict[Key, list[Place]]]:
    """What the rows say of each refund, and where; the last one counts. None is one of nothing."""
    found: dict[Key, list[Values | None]] = {}
    places: dict[Key, list[Place]] = {}
    rests: dict[Key, list[RefundRow]] = {}
    for row in rows:
        if row.amount == NONE and row.order_ref not in book.ordered:
            outcome.unchanged += 1  # nothing is known of it, and nothing is to be
            continue
        try:
            order = book.ordered[row.order_ref] if row.amount == NONE else _order_of(row, book.ordered)
            _refuse_stranger(people, row, order)
            key = (order.customer, refund_ref(row.order_ref, row.refund_ref))
            values = _values(row, order, book.exchange)
            if row.amount == REST:
                rests.setdefault(key, []).append(row)
            else:
                found.setdefault(key, []).append(values)
            places.setdefault(key, []).append(row.place)
        except Refused as refused:
            outcome.refuse([row.place], refused)
    return found | _rests(rests, found, book), places


def _values(row: RefundRow, order: Ordered, exchange: Exchange) -> Values | None:
    """Those of a rest are worked out later."""
    if row.amount == NONE:
        return None
    line_ref, sku, most = _line_of(row, order)
    if row.amount == REST:
        return None
    return (row.order_ref, line_ref, sku, row.at, *_back(row, most, order, exchange))


def _rests(
    rests: dict[Key, list[RefundRow]], found: dict[Key, list[Values | None]], book: _Book
) -> dict[Key, list[Values | None]]:
    """What is left for each of these beside all other refunds; of several the earliest takes it."""
    if not rests:
        return {}
    told = {**book.stored, **{key: theirs[-1] for key, theirs in found.items()}}
    known = _known({key: values for key, values in told.items() if key not in rests})
    others: dict[Key, Values | None] = {**known, **_standing(known, book.ordered)}
    made: dict[Key, list[Values | None]] = {}
    for key in sorted(rests, key=lambda key: (rests[key][-1].at, key)):
        row = rests[key][-1]
        others[key] = _rest(row, book.ordered[row.order_ref], list(filter(None, others.values())))
        made[key] = [others[key]] * len(rests[key])
    return made


def _rest(row: RefundRow, order: Ordered, others: Iterable[Values]) -> Values | None:
    line_ref, sku, most = _line_of(row, order)
    theirs = [values for values in others if values[0] == row.order_ref]
    of_line = sum(values[4] for values in theirs if values[1] == line_ref)
    of_all = sum(values[4] for values in theirs)
    left = min(order.cost.amount - of_all, most - of_line if line_ref else most)
    if left <= 0:
        return None
    return row.order_ref, line_ref, sku, row.at, left, as_charged(left, order.cost)


def _order_of(row: RefundRow, ordered: dict[str, Ordered]) -> Ordered:
    order = ordered.get(row.order_ref)
    if order is None:
        msg = "is of an order that is not known; import the order first"
    elif not order.paid:
        msg = "is of an order that was never paid"
    elif row.at < order.at:
        msg = "at is before the order's"
    else:
        return order
    raise Refused(msg, row.order_ref)


def _refuse_stranger(people: People, row: RefundRow, order: Ordered) -> None:
    if (row.email or row.shop_id or row.anonymous_id) and people.known(row) != {order.customer}:
        msg = "names somebody else than its order does"
        raise Refused(msg, row.order_ref)


def _line_of(row: RefundRow, order: Ordered) -> tuple[str, str, int]:
    """The line's name, product and amount; '' for the order as a whole."""
    return _named(row, order) if row.line_id or row.sku else ("", "", order.cost.amount)


def _back(row: RefundRow, most: int, order: Ordered, exchange: Exchange) -> tuple[int, int]:
    """The shop's amount, and that as charged. Money of another currency is changed as its order was."""
    cost = order.cost
    charged = _charged(row.amount, row.currency or cost.currency)
    if row.currency in ("", cost.currency):
        amount = at_its_rate(charged, most, cost)
    else:
        amount = near(exchange.at(order.at, charged, row.currency), most)
        charged = as_charged(amount, cost)
    if amount > most:
        msg = "amount is more than was paid"
        raise Refused(msg, f"{row.amount} {row.currency}".strip())
    return amount, charged


def _named(row: RefundRow, order: Ordered) -> tuple[str, str, int]:
    fitting = [line for line in order.lines if row.line_id in ("", line[0]) and row.sku in ("", line[1])]
    if len(fitting) == 1:
        return fitting[0]
    msg = (
        "names a line that its order does not have"
        if not fitting
        else "may be of several lines; give line_id"
    )
    raise Refused(msg, f"{row.order_ref} {row.line_id or row.sku}")


def _charged(text: str, currency: str) -> int:
    try:
        return minor(Decimal(text), get_currency_precision(currency))
    except Refused as refused:
        raise refused.within("amount") from refused


def _ordered(connection: Connection, refs: Sequence[str]) -> dict[str, Ordered]:
    """The orders of these numbers, held until the transaction ends."""
    found: dict[str, Ordered] = {}
    for part in batched(refs):
        owners = select(orders.c.customer_id).where(orders.c.order_ref.in_(part))
        lock_customers(connection, connection.scalars(owners))
        names = ("order_ref", "customer_id", "at", "paid", "amount", "currency", "charged")
        asked = select(*(as_kept(orders.c[name]) for name in names)).where(orders.c.order_ref.in_(part))
        for ref, customer, at, paid, *cost in connection.execute(asked):
            found[ref] = Ordered(customer, at, paid, Paid(*cost), [])
        _add_lines(connection, found, part)
    return found


def _add_lines(connection: Connection, found: dict[str, Ordered], refs: Sequence[str]) -> None:
    table = order_lines.c
    owners = {found[ref].customer for ref in refs if ref in found}
    asked = select(table.customer_id, table.order_ref, table.line_ref, table.sku, table.amount)
    theirs = asked.where(table.customer_id.in_(owners), table.order_ref.in_(refs))
    for customer, ref, *line in connection.execute(theirs.order_by(table.line_ref)):
        if found[ref].customer == customer:
            found[ref].lines.append((line[0], line[1], line[2]))


def _stored(connection: Connection, customer_ids: Sequence[int]) -> dict[Key, Values]:
    names = ("customer_id", "refund_ref", "order_ref", "line_ref", "sku", "at", "amount", "charged")
    asked = select(*(as_kept(refunds.c[name]) for name in names))
    found: dict[Key, Values] = {}
    for part in batched(customer_ids):
        for customer, ref, *rest in connection.execute(asked.where(refunds.c.customer_id.in_(part))):
            found[customer, ref] = tuple(rest)
    return found


def _write(
    connection: Connection, written: dict[Key, Values | None], stored: dict[Key, Values], now: int
) -> None:
    remove(connection, refunds, ("customer_id", "refund_ref"), written.keys() & stored.keys())
    rows = [(*key, *rest, now) for key, rest in sorted(written.items()) if rest is not None]
    insert_plain(connection, refunds, rows)
    said = ((customer, rest or stored[customer, ref]) for (customer, ref), rest in written.items())
    mark_refunded(connection, {(customer, rest[0]) for customer, rest in said})


REFUNDS = Importer(
    "refunds", COLUMNS, _row, RefundRow._make, _land, either=(), bundle=lambda row: row.order_ref
)
