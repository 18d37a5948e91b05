"""The rows that files of facts are made of, read and judged, but not yet anybody's.

Instants are UTC microseconds, money is minor units (of the shop's currency unless a currency stands beside
it), text is '' where blank.
Rows are tuples, since millions of them pass through a sorter on their way to the store.
"""

from collections.abc import Sequence
from typing import NamedTuple

Place = tuple[int, int, int]  # line number from 1, offset in bytes, length in bytes


class CustomerRow(NamedTuple):
    """What a file says of one person."""

    email: str
    shop_id: str
    anonymous_id: str
    known_at: int | None
    updated_at: int | None  # since when the attributes are so; None = the file does not say
    attributes: tuple[tuple[str, str], ...]
    place: Place


class ConsentRow(NamedTuple):
    """A person's yes or no to a topic."""

    email: str
    shop_id: str
    anonymous_id: str
    topic: str
    at: int
    granted: bool
    basis: str
    source: str
    place: Place


class ConsumptionRow(NamedTuple):
    """The use of a product, or of one unit of it."""

    email: str
    shop_id: str
    anonymous_id: str
    sku: str
    unit: str
    kind: str  # started | progressed | completed
    at: int
    progress: int | None  # percent
    place: Place


class FunnelRow(NamedTuple):
    """A visitor at a stage of the funnel, or something that happened to their checkout."""

    email: str
    shop_id: str
    anonymous_id: str
    what: str
    stage: str
    sku: str  # of an offer
    at: int
    checkout_id: str
    source: str
    medium: str
    campaign: str
    ad: str
    device: str
    place: Place


class SubscriptionRow(NamedTuple):
    """How a subscription stood from an instant on."""

    email: str
    shop_id: str
    anonymous_id: str
    subscription_ref: str
    at: int
    sku: str
    status: str  # active | past_due | cancelled | expired
    renews_at: int | None
    ends_at: int | None
    place: Place


class RateRow(NamedTuple):
    """What one unit of a foreign currency was worth in the shop's currency on a day."""

    currency: str
    day: str  # ISO 8601
    rate: str  # decimal
    place: Place


class SpendRow(NamedTuple):
    """What an ad cost on a day."""

    day: str  # ISO 8601, in the shop's zone
    source: str
    campaign: str
    ad: str
    amount: str  # decimal
    currency: str  # '' = the shop's
    place: Place


class ProductRow(NamedTuple):
    """A thing sold, for the catalogue; amounts as decimal text."""

    sku: str
    name: str
    kind: str
    price: str
    unit_cost: str
    category: str
    tags: tuple[str, ...]
    url: str
    image: str
    units: tuple[str, ...]
    place: Place


class RefundRow(NamedTuple):
    """Money that went back for an order that is known already."""

    email: str
    shop_id: str
    anonymous_id: str
    refund_ref: str
    order_ref: str
    line_id: str
    sku: str
    at: int
    amount: str  # decimal
    currency: str  # of the amount; '' = that of the order
    place: Place


class LineRow(NamedTuple):
    """One line of an order, with what its row says of the order as a whole; or of a credit."""

    order_ref: str
    email: str
    shop_id: str
    anonymous_id: str
    paid: bool | None
    total: int | None
    currency: str  # of `total`, `amount` and `refund`
    checkout_id: str
    source: str
    medium: str
    campaign: str
    at: int
    line_id: str
    sku: str
    quantity: int
    amount: int
    position: str
    refunded_at: int | None
    refund: int | None  # None = the whole line, where `refunded_at` is there
    credit: bool  # money that went back and names no order; quantity and amount are positive
    place: Place


class Line(NamedTuple):
    """A sold line, with the name it is known by within its order."""

    ref: str
    sku: str
    quantity: int
    amount: int
    position: str
    refunded_at: int | None  # fully refunded from then on


class Refund(NamedTuple):
    """Money that went back: for a line of an order, or as a credit that names no order."""

    ref: str
    line_ref: str
    sku: str
    at: int
    amount: int


class Order(NamedTuple):
    """The rows of one order number together: what was sold, and credits under that number.

    As assembled, its amounts are as charged; `exchange` makes them those of the shop's currency.
    """

    ref: str
    email: str
    shop_id: str
    anonymous_id: str
    at: int
    paid: bool
    amount: int
    currency: str
    charged: int  # in that currency
    checkout_id: str
    source: str
    medium: str
    campaign: str
    refunded_at: int | None
    digest: str
    lines: Sequence[Line]  # empty where unpaid
    refunds: Sequence[Refund]
    credits: Sequence[Refund]
    sales: Sequence[Place]  # the rows behind it
    credit_rows: Sequence[Place]
