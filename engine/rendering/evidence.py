"""The facts behind claims: who has them, and what they are, for many customers at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2.exceptions import UndefinedError
from sqlalchemy import Connection, Row, func, select

from engine.facts.catalogue import Catalogue, Product
from engine.rendering.claims import Claim
from engine.rendering.unproven import Unproven, unproven
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import WHOLE, Consumed
from engine.rules.conditions.owned import Owned
from engine.rules.model import Scope
from engine.rules.standing import runs
from engine.store.tables import consumption, customers, order_lines, subscriptions


@dataclass(frozen=True)
class OwnedFacts:
    """What `owned(…)` gives: the product, the latest purchase that counts, and the pieces of all.

    Of a subscription that nobody bought in the shop it is the beginning of the subscription.
    """

    sku: str
    name: str
    url: str
    image: str
    bought_at: datetime
    quantity: int
    _renews_at: datetime | None

    def __str__(self) -> str:
        return self.name

    @property
    def renews_at(self) -> datetime | Unproven:
        """When the subscription renews next; unproven where it does not, or nobody knows when."""
        return self._renews_at or unproven(f"that {self.sku!r} renews")


@dataclass(frozen=True)
class ConsumedFacts:
    """What `consumed(…)` gives.

    `units_done`, `last_at` and `last_unit` count within the time words of the claim; `next_unit` is
    the first unit never completed, '' where there is none.
    """

    sku: str
    name: str
    url: str
    image: str
    units_done: int
    units_total: int
    last_at: datetime
    next_unit: str
    _unit: str = ""
    _last_unit: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def share(self) -> str:
        """The part of the units that is done, never rounded up: `66%`."""
        if not self.units_total:
            msg = f"{self.sku!r} has no units, so there is no share of it"
            raise UndefinedError(msg)
        return f"{100 * self.units_done // self.units_total}%"

    @property
    def last_unit(self) -> str | Unproven:
        """The name of the unit completed last; unproven where the use completed none."""
        return self._last_unit or unproven(f"that a unit of {self.sku!r} was completed")

    @property
    def unit(self) -> str:
        """The name of the unit that the claim is about."""
        if not self._unit:
            msg = "this claim names no unit; write consumed('sku', unit='…').unit"
            raise UndefinedError(msg)
        return self._unit


@dataclass(frozen=True)
class NotConsumedFacts:
    """What `not_consumed(…)` gives: the product that was not used."""

    sku: str
    name: str
    url: str
    image: str
    units_total: int

    def __str__(self) -> str:
        return self.name


Facts = OwnedFacts | ConsumedFacts | NotConsumedFacts


@dataclass(frozen=True)
class Proof:
    """A claim that holds for one customer: what templates see of it, and what is kept of it."""

    facts: Facts
    record: dict[str, Any]


Proofs = Mapping[str, Proof]  # by what the claim says


@dataclass(frozen=True)
class Archive:
    """Looks up facts as of one instant, and tells times in the shop's zone."""

    connection: Connection
    scope: Scope
    zone: ZoneInfo

    def proofs(self, claims: Iterable[Claim], ids: Sequence[int]) -> Mapping[int, Proofs]:
        """By customer, the claims that hold for them, each with its evidence."""
        found: dict[int, dict[str, Proof]] = {customer: {} for customer in ids}
        for claim in claims:
            for customer, proof in self._prove(claim, self._holders(claim, ids)):
                found[customer][claim.said] = proof
        return found

    def _holders(self, claim: Claim, ids: Sequence[int]) -> list[int]:
        test = claim.rule.test(self.scope.each())
        rows = select(customers.c.customer_id).where(customers.c.customer_id.in_(ids), test)
        return list(self.connection.scalars(rows))

    def _prove(self, claim: Claim, holders: Sequence[int]) -> Iterator[tuple[int, Proof]]:
        if claim.kind == "not_consumed":
            yield from ((customer, self._absence(claim)) for customer in holders)
        elif isinstance(claim.condition, Bought):
            lines = self._lines(claim.condition, holders)
            yield from ((customer, self._purchase(claim, theirs)) for customer, theirs in lines.items())
        elif isinstance(claim.condition, Owned):
            yield from self._ownerships(claim, claim.condition, holders)
        else:
            yield from self._uses(claim, claim.condition, holders)

    # ── absence ─────────────────────────────────────────────────────────────────────────────────

    def _absence(self, claim: Claim) -> Proof:
        product = self._product(claim)
        facts = NotConsumedFacts(**_named(product), units_total=len(product.units))
        asked = {"query": f"not: {claim.condition.sentence(self.scope)}", "asked_at": _iso(self.scope.now)}
        return Proof(facts, {"claim": claim.said, **asked})

    # ── purchases ───────────────────────────────────────────────────────────────────────────────

    def _lines(self, bought: Bought, ids: Sequence[int]) -> Mapping[int, Sequence[Row[Any]]]:
        line = order_lines.c
        rows = (
            select(line.customer_id, line.at, line.quantity, line.order_ref, line.line_ref)
            .where(line.customer_id.in_(ids), bought.rows(self.scope))
            .order_by(line.customer_id, line.at, line.order_ref, line.line_ref)
        )
        return _grouped(self.connection.execute(rows))

    def _purchase(self, claim: Claim, lines: Sequence[Row[Any]]) -> Proof:
        facts = OwnedFacts(
            **_named(self._product(claim)),
            bought_at=lines[-1].at.astimezone(self.zone),
            quantity=sum(line.quantity for line in lines),
            _renews_at=None,
        )
        return Proof(facts, {"claim": claim.said, "order_lines": _kept_lines(lines)})

    # ── subscriptions ───────────────────────────────────────────────────────────────────────────

    def _ownerships(self, claim: Claim, owned: Owned, ids: Sequence[int]) -> Iterator[tuple[int, Proof]]:
        lines, running = self._lines(owned.bought, ids), self._running(owned, ids)
        for customer in ids:
            yield customer, self._ownership(claim, lines.get(customer, ()), running.get(customer, ()))

    def _running(self, owned: Owned, ids: Sequence[int]) -> Mapping[int, Sequence[Row[Any]]]:
        """By customer, the subscriptions that run, each with the time it began."""
        change, first = subscriptions.c, subscriptions.alias("first")
        began = (
            select(func.min(first.c.at, type_=change.at.type))
            .where(first.c.customer_id == change.customer_id, first.c.sku == change.sku)
            .where(first.c.subscription_ref == change.subscription_ref)
            .scalar_subquery()
            .label("began")
        )
        rows = (
            select(change.customer_id, change.subscription_ref, change.status, change.renews_at, began)
            .where(change.customer_id.in_(ids), change.sku == owned.product)
            .where(runs(subscriptions, self.scope.now))
            .order_by(change.customer_id, began, change.subscription_ref)
        )
        return _grouped(self.connection.execute(rows))

    def _ownership(self, claim: Claim, lines: Sequence[Row[Any]], running: Sequence[Row[Any]]) -> Proof:
        renewals = [row.renews_at for row in running if row.status == "active" and row.renews_at]
        ahead = [renews_at for renews_at in renewals if renews_at > self.scope.now]
        facts = OwnedFacts(
            **_named(self._product(claim)),
            bought_at=(lines[-1].at if lines else running[-1].began).astimezone(self.zone),
            quantity=sum(line.quantity for line in lines) or len(running),
            _renews_at=min(ahead).astimezone(self.zone) if ahead else None,
        )
        record = {"order_lines": _kept_lines(lines), "subscriptions": [_kept_running(row) for row in running]}
        return Proof(facts, {"claim": claim.said, **record})

    # ── use ─────────────────────────────────────────────────────────────────────────────────────

    def _uses(self, claim: Claim, used: Consumed, ids: Sequence[int]) -> Iterator[tuple[int, Proof]]:
        trace = consumption.c
        rows = (
            select(trace.customer_id, trace.at, trace.unit, trace.kind)
            .where(trace.customer_id.in_(ids), trace.sku == used.product, trace.kind != "started")
            .where(trace.at <= self.scope.now)
            .order_by(trace.customer_id, trace.at, trace.unit, trace.kind)
        )
        for customer, traces in _grouped(self.connection.execute(rows)).items():
            yield customer, self._use(claim, used, traces)

    def _use(self, claim: Claim, used: Consumed, traces: Sequence[Row[Any]]) -> Proof:
        product = self._product(claim)
        first, last = used.span(self.scope.now)
        counting = [trace for trace in traces if (first is None or trace.at >= first) and trace.at <= last]
        done = _completed(counting, product)
        facts = ConsumedFacts(
            **_named(product),
            units_done=len(done),
            units_total=len(product.units),
            last_at=counting[-1].at.astimezone(self.zone),
            next_unit=next(iter(_left(traces, product)), ""),
            _unit=product.units.get(used.unit or "", ""),
            _last_unit=_last_completed(counting, product),
        )
        kept = [{"unit": trace.unit, "kind": trace.kind, "at": _iso(trace.at)} for trace in counting]
        return Proof(facts, {"claim": claim.said, "consumption": kept})

    def _product(self, claim: Claim) -> Product:
        return self.scope.catalogue[claim.sku]


def specimen(claim: Claim, catalogue: Catalogue, at: datetime) -> Proof:
    """A proof as good as a real one, for trying out a template."""
    product = catalogue[claim.sku]
    record = {"claim": claim.said}
    if isinstance(claim.condition, Bought | Owned):
        renews_at = at if isinstance(claim.condition, Owned) else None
        return Proof(OwnedFacts(**_named(product), bought_at=at, quantity=1, _renews_at=renews_at), record)
    if claim.kind == "not_consumed":
        return Proof(NotConsumedFacts(**_named(product), units_total=len(product.units)), record)
    return Proof(_specimen_use(product, claim.condition, at), record)


def _specimen_use(product: Product, used: Consumed, at: datetime) -> ConsumedFacts:
    names = list(product.units.values())
    return ConsumedFacts(
        **_named(product),
        units_done=min(1, len(names)),
        units_total=len(names),
        last_at=at,
        next_unit=names[-1] if names else "",
        _unit=product.units.get(used.unit or "", ""),
        _last_unit=names[0] if names else "",
    )


def _named(product: Product) -> dict[str, str]:
    return {"sku": product.sku, "name": product.name, "url": product.url, "image": product.image}


def _kept_lines(lines: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    return [
        {"order": line.order_ref, "line": line.line_ref, "at": _iso(line.at), "quantity": line.quantity}
        for line in lines
    ]


def _kept_running(row: Row[Any]) -> dict[str, Any]:
    """A subscription as it stood."""
    renews = {"renews_at": _iso(row.renews_at)} if row.renews_at else {}
    return {"subscription": row.subscription_ref, "status": row.status, "began": _iso(row.began), **renews}


def _grouped(rows: Iterable[Row[Any]]) -> Mapping[int, list[Row[Any]]]:
    groups: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        groups[row.customer_id].append(row)
    return groups


def _completed(traces: Iterable[Row[Any]], product: Product) -> set[str]:
    """The units that are done; the product's own completion is that of all of them."""
    done = {trace.unit for trace in traces if trace.kind == "completed"}
    return set(product.units) if WHOLE in done else done & set(product.units)


def _left(traces: Iterable[Row[Any]], product: Product) -> list[str]:
    done = _completed(traces, product)
    return [name for unit, name in product.units.items() if unit not in done]


def _last_completed(traces: Sequence[Row[Any]], product: Product) -> str:
    completed = [t.unit for t in traces if t.kind == "completed" and t.unit in product.units]
    return product.units[completed[-1]] if completed else ""


def _iso(at: datetime) -> str:
    return at.isoformat()
