"""Orders: one row for each line, with what it says of the order as a whole."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.facts.columns import Column, Manner, plain
from engine.facts.importers.importer import PERSON, Importer
from engine.facts.importers.order_landing import land_orders
from engine.facts.model import LineRow, Place
from engine.facts.refusal import Refused
from engine.facts.values import Parse
from engine.facts.values.numbers import minor, pieces
from engine.facts.values.words import choice, flag, text


def _money(manner: Manner) -> Parse:
    return lambda value: minor(manner.amounts(value), manner.digits)


def _price(manner: Manner) -> Parse:
    """A price of one piece may be finer than the smallest coin, as long as the line is not."""
    return lambda value: (manner.amounts(value), manner.digits)


def _currency(manner: Manner) -> Parse:
    def parse(value: str) -> str:
        if value.upper() != manner.currency:
            msg = f"is not the shop's {manner.currency}; exchange rates are not in this version"
            raise Refused(msg, value[:10])
        return manner.currency

    return parse


COLUMNS = (
    Column("order_id", plain(text(100)), required=True),
    *PERSON,
    Column("paid", plain(flag), blank=None),
    Column("order_total", _money, blank=None),
    Column("checkout_id", plain(text(200))),
    Column("source", plain(text(200))),
    Column("medium", plain(text(200))),
    Column("campaign", plain(text(200))),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("line_id", plain(text(90))),
    Column("sku", plain(text(80)), required=True),
    Column("quantity", plain(pieces), blank=1),
    Column("unit_price", _price, blank=None),
    Column("amount", _money, blank=None),
    Column("position", plain(choice("core", "bump", "upsell", "downsell"))),
    Column("refunded_at", lambda manner: manner.instants, blank=None, instant=True),
    Column("refund_amount", _money, blank=None),
    Column("currency", _currency),
)
_TOTAL = [column.name for column in COLUMNS].index("order_total")


def _row(values: Sequence[Any], place: Place, credit: bool) -> LineRow:  # noqa: FBT001 - one of three facts
    *whole, line_id, sku, quantity, price, amount, position, refunded_at, refund, _ = values
    amount = _amount(quantity, price, amount)
    if credit:
        quantity, amount, whole[_TOTAL] = abs(quantity), abs(amount), None
    line = (line_id, sku, quantity, amount, position, refunded_at, refund or None)
    row = LineRow._make((*whole, *line, credit, place))
    _refuse_signs(row)
    if refunded_at is not None or refund is not None:
        _refuse_refund(row, refund)
    return row


def _amount(quantity: int, price: tuple[Decimal, int] | None, amount: int | None) -> int:
    if amount is not None:
        return amount
    if price is None:
        msg = "names neither amount nor unit_price"
        raise Refused(msg)
    try:
        return minor(quantity * price[0], price[1])
    except Refused as refused:
        raise refused.within("quantity times unit_price") from refused


def _refuse_signs(row: LineRow) -> None:
    if row.credit and row.amount == 0:
        msg = "is a credit of nothing"
        raise Refused(msg)
    if row.quantity < 0 or row.amount < 0 or (row.total or 0) < 0:
        msg = "is negative; if such rows are credits, say so with `credits:` in a map"
        raise Refused(msg, row.order_ref)


def _refuse_refund(row: LineRow, said: int | None) -> None:
    """`said` is the refund_amount as written: 0 means that nothing went back."""
    if row.credit:
        msg = "is a credit, which cannot be refunded"
    elif said is not None and not 0 <= said <= row.amount:
        msg = "refund_amount is negative, or more than the line's amount"
    elif row.refunded_at is None:
        msg = "refund_amount has no refunded_at beside it" if said else ""
    elif row.refunded_at < row.at:
        msg = "refunded_at is before at"
    else:
        msg = "refunded_at stands beside a refund_amount of 0" if said == 0 and row.amount else ""
    if msg:
        raise Refused(msg, row.order_ref)


ORDERS = Importer(
    "orders",
    COLUMNS,
    _row,
    LineRow._make,
    land_orders,
    either=(("email", "shop_id"), ("amount", "unit_price")),
    bundle=lambda row: row.order_ref,
    sku=lambda row: row.sku,
    credits=True,
)
