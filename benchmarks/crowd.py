"""A large shop laid straight into SQLite's tables: what an import of that size leaves, in a few minutes.

Ten order lines and ten uses for each customer, a subscription for every fifth, products of which some
sell a hundred times as often as others; and campaigns that ask of them what campaigns ask.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.schema import CreateIndex, DropIndex

from benchmarks.child import Failed
from benchmarks.shop import NOW, SEED
from engine.clock import MICROSECOND, to_micros
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current

PRODUCTS = 200
UNITS = 10
SUBSCRIPTION = "p199"
DAY = timedelta(days=1) // MICROSECOND
YEARS = 3 * 365 * DAY
_NOW = to_micros(NOW)
_CHUNK = 50_000
Row = tuple[Any, ...]

CUSTOMERS = ("customer_id", "email", "shop_id", "first_name", "last_name", "country", "locale", "timezone",
             "known_at", "lot", "recorded_at")  # fmt: skip
CONTACTS = ("customer_id",)
CONSENTS = ("customer_id", "topic", "at", "granted", "basis", "source", "recorded_at")
ORDERS = ("customer_id", "order_ref", "at", "paid", "amount", "currency", "charged", "checkout_id", "source",
          "medium", "campaign", "digest", "recorded_at")  # fmt: skip
LINES = ("customer_id", "order_ref", "line_ref", "sku", "at", "quantity", "amount", "position", "side",
         "refunded_at", "recorded_at")  # fmt: skip
USES = ("customer_id", "sku", "unit", "kind", "at", "recorded_at")
SUBSCRIPTIONS = (
    "customer_id",
    "subscription_ref",
    "at",
    "sku",
    "status",
    "renews_at",
    "derived",
    "recorded_at",
)


def lay_apart(file: Path, customers: int) -> None:
    """The same in a process of its own, which takes what that needs of memory with it."""
    laying = get_context("spawn").Process(target=_lay_file, args=(file, customers))
    laying.start()
    laying.join()
    if laying.exitcode:
        msg = "the shop could not be laid out"
        raise Failed(msg)


def _lay_file(file: Path, customers: int) -> None:
    store = Store(f"sqlite:///{file}")
    lay(store, customers)
    store.close()


def lay(store: Store, customers: int) -> None:
    """Fill an empty SQLite store. Its indexes are made afterwards, which is far quicker."""
    ensure_current(store)
    dice = Random(SEED)
    with store.writing() as connection:
        indexes = [index for table in _facts() for index in table.indexes]
        for index in indexes:
            connection.execute(DropIndex(index))
        _lay_people(connection, customers)
        _lay_orders(connection, dice, customers)
        _put(connection, tables.consumption, USES, _uses(dice, customers))
        _put(connection, tables.subscriptions, SUBSCRIPTIONS, _subscriptions(dice, customers))
        for index in indexes:
            connection.execute(CreateIndex(index))
        connection.exec_driver_sql("ANALYZE")


def change(connection: Connection, customers: int, many: int, seed: int) -> None:
    """So many customers order, use or renew something now; they are queued as an import queues them."""
    dice = Random(seed)
    whose = dice.sample(range(1, customers + 1), many)
    buyers, users, renewers = whose[::3], whose[1::3], [who - who % 5 or 5 for who in whose[2::3]]
    orders = [order for n, who in enumerate(buyers) for order in [_order(f"n{seed}-{n}", who, _NOW, 4900)]]
    lines = [_line(order, 1, _sku(dice), None) for order in orders]
    _put(connection, tables.orders, ORDERS, iter(orders))
    _put(connection, tables.order_lines, LINES, iter(lines))
    _put(connection, tables.consumption, USES, (_use(dice, who, _NOW - seed) for who in users))
    renewed = [(_NOW + dice.randrange(40) * DAY, who) for who in renewers]
    raw = connection.connection.cursor()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    raw.executemany(f"UPDATE subscriptions SET renews_at = {mark} WHERE customer_id = {mark}", renewed)
    queued = ((who, seed) for who in {*buyers, *users, *renewers})
    _put(connection, tables.changes, ("customer_id", "change_id"), queued)


def _facts() -> Sequence[Table]:
    return (tables.customers, tables.consents, tables.orders, tables.order_lines, tables.consumption,
            tables.subscriptions)  # fmt: skip


def _lay_people(connection: Connection, customers: int) -> None:
    known, numbers = _NOW - YEARS, range(1, customers + 1)
    lots = (n * 48_271 % 2_147_483_647 for n in numbers)
    people = (
        (n, f"c{n}@shop.example", str(n), "Ada", "Baker", "US", "en-US", "", known, lot, known)
        for n, lot in zip(numbers, lots, strict=True)
    )
    _put(connection, tables.customers, CUSTOMERS, people)
    _put(connection, tables.contact_state, CONTACTS, ((n,) for n in numbers))
    agreed = ((n, "marketing", known, True, "consent", "checkout", known) for n in numbers)
    _put(connection, tables.consents, CONSENTS, agreed)


def _lay_orders(connection: Connection, dice: Random, customers: int) -> None:
    """Five orders of two lines for each customer on the average; a few have many."""
    left = 5 * customers
    numbered = iter(range(left))
    while chunk := list(islice(numbered, _CHUNK)):
        orders = [
            _order(str(n), _customer(dice, customers), _then(dice), dice.randrange(500, 20_000))
            for n in chunk
        ]
        _put(connection, tables.orders, ORDERS, iter(orders))
        lines = (_line(order, n, _sku(dice), _refund(dice, order)) for order in orders for n in (1, 2))
        _put(connection, tables.order_lines, LINES, lines)


def _order(ref: str, who: int, at: int, amount: int) -> Row:
    return (who, ref, at, True, amount, "USD", amount, "", "", "", "", "", at)


def _line(order: Row, number: int, sku: str, refunded: int | None) -> Row:
    who, ref, at, _, amount, *_ = order
    return (who, ref, str(number), sku, at, 1, amount // 2, "", "", refunded, at)


def _refund(dice: Random, order: Row) -> int | None:
    return order[2] + dice.randrange(20 * DAY) if dice.random() < 0.02 else None


def _uses(dice: Random, customers: int) -> Iterator[Row]:
    for _ in range(10 * customers):
        yield _use(dice, _customer(dice, customers), _then(dice))


def _use(dice: Random, who: int, at: int) -> Row:
    kind = "completed" if dice.random() < 0.7 else "started"
    return (who, f"p{dice.randrange(40)}", f"u{dice.randrange(UNITS)}", kind, at, at)


def _subscriptions(dice: Random, customers: int) -> Iterator[Row]:
    for who in range(5, customers + 1, 5):
        status = "active" if dice.random() < 0.8 else "cancelled"
        renews = _NOW + dice.randrange(40 * DAY) if status == "active" else None
        yield (who, f"s{who}", _then(dice), SUBSCRIPTION, status, renews, False, _NOW - YEARS)


def _customer(dice: Random, customers: int) -> int:
    """Half of what happens is the doing of a quarter of them."""
    return 1 + int(customers * dice.random() * max(dice.random(), 0.5))


def _sku(dice: Random) -> str:
    return f"p{int(PRODUCTS * dice.random() * dice.random())}"


def _then(dice: Random) -> int:
    return _NOW - dice.randrange(1, YEARS)


def _put(connection: Connection, table: Table, columns: Sequence[str], rows: Iterator[Row]) -> None:
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(columns))
    raw = connection.connection.cursor()
    while chunk := list(islice(rows, _CHUNK)):
        raw.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", chunk)
