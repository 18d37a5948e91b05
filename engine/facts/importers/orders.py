"""Orders: one row for each line, with what it says of the order as a whole."""

from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from babel.numbers import get_currency_precision

from engine.facts.columns import Column, Manner, Money, plain
from engine.facts.identity import NAMES
from engine.facts.importers.importer import PERSON, Importer
from engine.facts.importers.order_landing import land_orders
from engine.facts.model import LineRow, Place
from engine.facts.refusal import Refused
from engine.facts.values import Parse
from engine.facts.values.numbers import minor, pieces
from engine.facts.values.words import choice, currency, flag, text


class Said(NamedTuple):
    """An amount as written, in major units; of the shop's currency unless the row names another."""

    amount: Decimal
    money: Money
    ours: int | None  # in minor units of the shop's currency, where it is no finer

    def minor(self, name: str, money: Money) -> int:
        """In minor units of that currency; exact or refused."""
        if self.ours is not None and money.digits == self.money.digits:
            return self.ours
        return _exact(name, self.amount, money)


def _money(manner: Manner) -> Parse:
    def parse(value: str) -> Said:
        amount = manner.amounts(value)
        try:
            ours = minor(amount, manner.money.digits)
        except Refused:  # told where it is known of which currency it is
            return Said(amount, manner.money, None)
        return Said(amount, manner.money, ours)

    return parse


def _foreign(value: str) -> Money:
    code = currency(value)
    return Money(code, get_currency_precision(code))


COLUMNS = (
    Column("order_id", plain(text(100)), required=True),
    *PERSON,
    Column("paid", plain(flag), blank=None),
    Column("order_total", _money, blank=None),
    Column("currency", plain(_foreign), blank=None),
    Column("checkout_id", plain(text(200))),
    Column("source", plain(text(200))),
    Column("medium", plain(text(200))),
    Column("campaign", plain(text(200))),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("line_id", plain(text(90))),
    Column("sku", plain(text(80)), required=True),
    Column("quantity", plain(pieces), blank=1),
    Column("unit_price", _money, blank=None),
    Column("amount", _money, blank=None),
    Column("position", plain(choice("core", "bump", "upsell", "downsell"))),
    Column("refunded_at", lambda manner: manner.instants, blank=None, instant=True),
    Column("refund_amount", _money, blank=None),
)
_WHOLE = [column.name for column in COLUMNS].index("line_id")  # columns before it speak of the whole order


def _row(values: Sequence[Any], place: Place, credit: bool) -> LineRow:  # noqa: FBT001 - one of three facts
    *whole, total, named, checkout_id, source, medium, campaign, at = values[:_WHOLE]
    line_id, sku, quantity, price, amount, position, refunded_at, refund = values[_WHOLE:]
    money = named or _known(amount or price).money
    named_amount, amount = amount is not None, _amount(quantity, price, amount, money)
    if total is not None:
        total = total.minor("order_total", money)
    if refund is not None:
        refund = refund.minor("refund_amount", money)
    if credit:
        quantity, amount, total = abs(quantity), abs(amount), None
        _refuse_nothing(amount)
    row = LineRow._make((
        *whole, total, money.currency, checkout_id, source, medium, campaign, at,
        line_id, sku, quantity, amount, position, refunded_at, refund or None, credit, place,
    ))  # fmt: skip
    priced = "unit_price" if not named_amount else "amount"
    for name, value in (("quantity", quantity), (priced, amount), ("order_total", total or 0)):
        if value < 0:
            raise Negative(name, row.order_ref)
    if refunded_at is not None or refund is not None:
        _refuse_refund(row, refund)
    return row


def _amount(quantity: int, price: Said | None, amount: Said | None, money: Money) -> int:
    """Of the line. A price of one piece may be finer than the smallest coin, as long as the line is not."""
    if amount is None and price is not None:
        return _exact("quantity times unit_price", quantity * price.amount, money)
    return _known(amount).minor("amount", money)


def _known(said: Said | None) -> Said:
    if said is None:
        msg = "names neither amount nor unit_price"
        raise Refused(msg)
    return said


def _exact(name: str, amount: Decimal, money: Money) -> int:
    try:
        return minor(amount, money.digits)
    except Refused as refused:
        raise refused.within(name) from refused


def _refuse_nothing(amount: int) -> None:
    if amount == 0:
        msg = "is a credit of nothing"
        raise Refused(msg)


class Negative(Refused):
    """A number below 0: in a file it may be a credit."""

    def __init__(self, name: str, order_ref: str) -> None:
        self._bare = f"{name} is negative"
        super().__init__(
            f"{self._bare}; if such rows are credits, say so with `credits:` in a map", order_ref
        )

    @property
    def told(self) -> str:
        return self._bare


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
    either=((*NAMES,), ("amount", "unit_price")),
    bundle=attrgetter("order_ref"),
    sku=attrgetter("sku"),
    credits=True,
)
