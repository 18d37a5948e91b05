"""The rows of one order number as an order: what was sold, what of it went back, and credits beside it.

What rows say of the order as a whole is said by its first row that says it; a later row that says
otherwise is refused. Only the time may differ: an order is as old as its oldest row.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from engine.facts.model import Line, LineRow, Order, Place, Refund
from engine.facts.refusal import Refused

_HEAD_NAMES = (
    *("email", "shop_id", "anonymous_id", "paid", "order_total", "currency"),
    *("checkout_id", "source", "medium", "campaign"),
)
_BLANK = ("", None)
Refusals = list[tuple[Place, Refused]]
Named = tuple[str, LineRow]  # a row and the name of its line within the order


class Sold(NamedTuple):
    """The sales of an order, paid or not."""

    at: int
    amount: int
    lines: Sequence[Line]
    refunds: Sequence[Refund]
    bodies: Sequence[Sequence[Any]]  # what the rows say of their lines
    places: Sequence[Place]


def assemble(rows: Sequence[LineRow]) -> tuple[Order, Refusals]:
    """The order that rows with the same order number make, and the rows it could not take."""
    refusals: Refusals = []
    head, agreeing = _agreeing(rows, refusals)
    email, shop_id, anonymous_id, said_paid, total, currency, checkout_id, source, medium, campaign = head
    paid = said_paid is not False
    sales, returns = _taken(agreeing, refusals, paid=paid)
    sold = _sold(sales)
    amount = sold.amount if total is None else total
    said = (sold.at, paid, amount, currency, checkout_id, source, medium, campaign)
    order = Order(
        rows[0].order_ref,
        email,
        shop_id,
        anonymous_id,
        sold.at,
        paid,
        amount,
        currency,
        amount,
        checkout_id,
        source,
        medium,
        campaign,
        _wholly_refunded(sold.lines) if paid else None,
        digest_of(said, sold.bodies),
        sold.lines if paid else [],
        sold.refunds,
        [_credit(name, row) for name, row in _named(returns)],
        sold.places,
        [row.place for row in returns],
    )
    return order, refusals


def _head(row: LineRow) -> Sequence[Any]:
    """What a row says of the order as a whole: from `email` to `campaign`."""
    return row[1:11]


def _body(row: LineRow) -> Sequence[Any]:
    """What it says of its line: from `line_id` to `refund`."""
    return row[12:19]


def _agreeing(rows: Sequence[LineRow], refusals: Refusals) -> tuple[Sequence[Any], Sequence[LineRow]]:
    """What is said of the whole, and the rows that do not gainsay it."""
    heads = [_head(row) for row in rows]
    head: Sequence[Any] = heads[0]
    if heads.count(head) == len(heads):
        return head, rows
    agreeing = []
    for row in rows:
        try:
            head = _joined(head, row)
        except Refused as refused:
            refusals.append((row.place, refused))
        else:
            agreeing.append(row)
    return head, agreeing


def _joined(head: Sequence[Any], row: LineRow) -> Sequence[Any]:
    joined = [new if old in _BLANK else old for old, new in zip(head, _head(row), strict=True)]
    for name, said, new in zip(_HEAD_NAMES, joined, _head(row), strict=True):
        if new not in _BLANK and new != said:
            msg = f"{name} is another than on an earlier row of the same order"
            raise Refused(msg, row.order_ref)
    return joined


def _taken(rows: Sequence[LineRow], refusals: Refusals, *, paid: bool) -> tuple[list[LineRow], list[LineRow]]:
    """The rows of sales, and those of credits, in order of their content."""
    seen: set[tuple[bool, str]] = set()
    sales: list[LineRow] = []
    returns: list[LineRow] = []
    for row in rows:
        name = row.credit, row.line_id
        if row.line_id and name in seen:
            refusals.append((row.place, Refused("line_id stands twice in the order", row.line_id)))
        elif not paid and row.refunded_at is not None:
            refusals.append((row.place, Refused("refunded_at stands in an order that was never paid")))
        else:
            seen.add(name)
            (returns if row.credit else sales).append(row)
    for each in (sales, returns):
        if len(each) > 1:
            each.sort(key=_content)
    return sales, returns


def _named(rows: Sequence[LineRow]) -> Iterable[Named]:
    """Each row with its line's name: the source's own, else sku#ordinal.

    Ordinals are given in order of content, so that the rows may stand in any order in the file.
    """
    names = [row.line_id for row in rows]
    if not all(names):
        taken, ordinals = {*names}, dict[str, int]()
        names = [name or _ordinal(row.sku, ordinals, taken) for name, row in zip(names, rows, strict=True)]
    return zip(names, rows, strict=True)


def _sold(rows: Sequence[LineRow]) -> Sold:
    """What the rows of an order's sales say together."""
    amount, lines, refunds, bodies, places = 0, [], [], [], []
    for name, row in _named(rows):
        amount += row.amount
        lines.append(_line(name, row))
        bodies.append(_body(row))
        places.append(row.place)
        if row.refunded_at is not None:
            refunds.append(_refund(name, row))
    return Sold(rows[0].at if rows else 0, amount, lines, refunds, bodies, places)


def _ordinal(sku: str, ordinals: dict[str, int], taken: set[str]) -> str:
    """The next name of a line with that sku, passing over those that the source gave to another."""
    while True:
        ordinals[sku] = ordinal = ordinals.get(sku, 0) + 1
        name = f"{sku}#{ordinal}"
        if name not in taken:
            return name


def _content(row: LineRow) -> tuple[Any, ...]:
    """All that a row says of its line, its time first, in a form that can be compared."""
    return (*row[11:17], row.refunded_at or 0, row.refund or 0)


def _line(name: str, row: LineRow) -> Line:
    wholly = row.refund is None or row.refund == row.amount
    return Line(name, row.sku, row.quantity, row.amount, row.position, row.refunded_at if wholly else None)


def _back(row: LineRow) -> int:
    """How much of a line that was refunded went back."""
    return row.amount if row.refund is None else row.refund


def _refund(name: str, row: LineRow) -> Refund:
    return Refund(f"{row.order_ref}/{name}", name, row.sku, row.refunded_at or 0, _back(row))


def _credit(name: str, row: LineRow) -> Refund:
    return Refund(f"credit:{row.order_ref}/{name}", name, row.sku, row.at, row.amount)


def _wholly_refunded(lines: Sequence[Line]) -> int | None:
    times = [line.refunded_at for line in lines]
    return None if not times or None in times else max(time for time in times if time is not None)


def digest_of(*said: Any) -> str:
    """32 letters that stand for all that was said."""
    return blake2b(repr(said).encode(), digest_size=16).hexdigest()
