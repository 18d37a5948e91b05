"""What one customer did: orders, refunds, use and consent."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.facts.catalogue import Catalogue
from engine.trials.demo_shop.people import Person, Visit

CENT = Decimal("0.01")
NOTHING = Decimal(0)


@dataclass
class Line:
    """One line of an order, and what went back of it."""

    sku: str
    unit_price: Decimal
    quantity: int = 1
    position: str = "core"
    refunded_at: datetime | None = None
    refund_amount: Decimal = NOTHING

    @property
    def amount(self) -> Decimal:
        return self.unit_price * self.quantity


@dataclass(frozen=True)
class Order:
    """What was bought at once. Orders of one checkout share its id."""

    email: str
    at: datetime
    lines: tuple[Line, ...]
    checkout_id: str
    visit: Visit
    paid: bool = True


@dataclass(frozen=True)
class Trace:
    """A unit of a product was started, gone on with or completed; no unit means the whole."""

    email: str
    sku: str
    unit: str
    kind: str
    at: datetime
    progress: int | None = None


@dataclass(frozen=True)
class Change:
    """How a subscription stands from then on."""

    email: str
    subscription_id: str
    sku: str
    status: str
    at: datetime
    renews_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Consent:
    """A yes or a no to the shop's letters."""

    email: str
    granted: bool
    at: datetime
    basis: str
    source: str


@dataclass
class Ledger:
    """All that is on record about one customer."""

    person: Person
    catalogue: Catalogue
    orders: list[Order] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    @property
    def known_at(self) -> datetime:
        """When the shop first heard of them."""
        ordered, said = [order.at for order in self.orders], [consent.at for consent in self.consents]
        return min([self.person.known_at, *ordered, *said])

    def line(self, sku: str, position: str = "core", quantity: int = 1, less: Decimal = NOTHING) -> Line:
        """A line at the catalogue's price, `less` a share of it."""
        price = self.catalogue[sku].price or NOTHING
        return Line(sku, (price * (1 - less)).quantize(CENT), quantity, position)

    def buy(
        self, at: datetime, *lines: Line, visit: Visit | None = None, checkout_id: str = "", paid: bool = True
    ) -> Order:
        """An order, from where the customer first came unless said otherwise."""
        order = Order(self.person.email, at, lines, checkout_id, visit or self.person.visit, paid)
        self.orders.append(order)
        return order

    def refund(self, line: Line, at: datetime, share: Decimal = Decimal(1)) -> None:
        line.refunded_at, line.refund_amount = at, (line.amount * share).quantize(CENT)

    def renew(self, sku: str, at: datetime, until: datetime) -> None:
        """Pay for a subscription until then, for the first time or again."""
        self.buy(at, self.line(sku))
        self._subscription(sku, "active", at, renews_at=until)

    def fall_behind(self, sku: str, at: datetime) -> None:
        """The payment of a subscription fails."""
        self._subscription(sku, "past_due", at)

    def cancel(self, sku: str, at: datetime, until: datetime) -> None:
        """Cancel a subscription, which runs on until then."""
        self._subscription(sku, "cancelled", at, ends_at=until)

    def _subscription(self, sku: str, status: str, at: datetime, **ahead: datetime) -> None:
        person = self.person
        self.changes.append(Change(person.email, f"sub-{person.shop_id}", sku, status, at, **ahead))

    def use(self, sku: str, unit: str, kind: str, at: datetime, progress: int | None = None) -> None:
        self.traces.append(Trace(self.person.email, sku, unit, kind, at, progress))

    def complete(self, sku: str, units: Iterable[tuple[str, datetime]]) -> None:
        """Those units, each at its time."""
        for unit, at in units:
            self.use(sku, unit, "completed", at, 100)

    def agree(self, at: datetime, source: str = "checkout") -> None:
        self.consents.append(Consent(self.person.email, granted=True, at=at, basis="opt-in", source=source))

    def decline(self, at: datetime, source: str = "unsubscribe link") -> None:
        self.consents.append(Consent(self.person.email, granted=False, at=at, basis="opt-out", source=source))

    def owned_units(self, sku: str) -> list[str]:
        return list(self.catalogue[sku].units)
