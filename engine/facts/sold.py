"""What was sold, product by product, as order lines tell it."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from engine.clock import LAST
from engine.store.tables import order_lines


class SoldProduct(NamedTuple):
    """A product by its sku: pieces, orders that hold it, what they brought in minor units, and the last."""

    sku: str
    pieces: int
    orders: int
    amount: int
    last_at: datetime


def sold_products(connection: Connection, until: datetime = LAST) -> Iterator[SoldProduct]:
    """Every product on an order line until then, refunded or not; what sold most comes first."""
    lines = order_lines.c
    pieces, amount = func.sum(lines.quantity), func.sum(lines.amount)
    orders = func.count(lines.order_ref.distinct())
    asked = select(lines.sku, pieces, orders, amount, func.max(lines.at)).where(lines.at <= until)
    rows = asked.group_by(lines.sku).order_by(pieces.desc(), lines.sku)
    for sku, *counts, last_at in connection.execute(rows):
        many, holding, earned = map(int, counts)
        yield SoldProduct(sku, many, holding, earned, last_at)
