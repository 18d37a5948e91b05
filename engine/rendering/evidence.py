"""The facts behind claims: who has them, and what they are, for many customers at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from jinja2.exceptions import UndefinedError
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Row,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)

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
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Found = Mapping[tuple[int | str, int], Sequence[Row[Any]]]
IDS: BindParameter[Any] = bindparam("ids", expanding=True)  # of the customers of a batch


@dataclass(frozen=True)
class Archive:
    """Looks up the facts behind some claims, as of one instant, and tells times in the shop's zone.

    What it asks is made once, and asked of one batch of customers after the other: whom each claim is
    true of, and then the purchases, subscriptions and uses that any of them is about.
    """

    claims: Sequence[Claim]
    scope: Scope
    zone: ZoneInfo

    def proofs(self, connection: Connection, ids: Sequence[int]) -> Mapping[int, Proofs]:
        """By customer, the claims that hold for them, each with its evidence."""
        found: dict[int, dict[str, Proof]] = {customer: {} for customer in ids}
        if not self.claims:
            return found
        facts = _Files(
            *(_asked(connection, rows, ids) for rows in (self._lines, self._running, self._traces))
        )
        for customer, *holds in connection.execute(self._holders, {"ids": ids}).all():
            for number, claim in enumerate(self.claims):
                if holds[number] and (proof := self._prove(number, claim, facts, customer)):
                    found[customer][claim.said] = proof
        return found

    def _prove(self, number: int, claim: Claim, facts: "_Files", customer: int) -> Proof | None:
        if claim.kind == "not_consumed":
            return self._absences[number]
        lines = facts.lines.get((number, customer), ())
        if isinstance(claim.condition, Owned):
            return self._ownership(claim, lines, facts.running.get((number, customer), ()))
        if isinstance(claim.condition, Bought):
            return self._purchase(claim, lines) if lines else None
        traces = facts.traces.get((claim.sku, customer), ())
        return self._use(claim, claim.condition, traces) if traces else None

    @cached_property
    def _holders(self) -> Select[*tuple[Any, ...]]:
        """Customers, and for each claim whether it is true of them."""
        tests = (claim.rule.test(self.scope.each()) for claim in self.claims)
        holds = [case((test, 1), else_=0).label(f"claim_{number}") for number, test in enumerate(tests)]
        return select(customers.c.customer_id, *holds).where(customers.c.customer_id.in_(IDS))

    # ── absence ─────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _absences(self) -> Mapping[int, Proof]:
        return {
            number: self._absence(claim)
            for number, claim in enumerate(self.claims)
            if claim.kind == "not_consumed"
        }

    def _absence(self, claim: Claim) -> Proof:
        product = self._product(claim)
        facts = NotConsumedFacts(**_named(product), units_total=len(product.units))
        asked = {"query": f"not: {claim.condition.sentence(self.scope)}", "asked_at": _iso(self.scope.now)}
        return Proof(facts, {"claim": claim.said, **asked})

    # ── purchases ───────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _lines(self) -> Statement | None:
        """The order lines that count for each claim of a purchase, by its number."""
        line = order_lines.c
        columns = (line.customer_id, line.at, line.quantity, line.order_ref, line.line_ref)
        asked = [
            select(_numbered(number), *columns).where(line.customer_id.in_(IDS), bought.rows(self.scope))
            for number, claim in enumerate(self.claims)
            if (bought := _purchase_of(claim))
        ]
        return _together(asked, "customer_id", "at", "order_ref", "line_ref")

    def _purchase(self, claim: Claim, lines: Sequence[Row[Any]]) -> Proof:
        facts = OwnedFacts(
            **_named(self._product(claim)),
            bought_at=lines[-1].at.astimezone(self.zone),
            quantity=sum(line.quantity for line in lines),
            _renews_at=None,
        )
        return Proof(facts, {"claim": claim.said, "order_lines": _kept_lines(lines)})

    # ── subscriptions ───────────────────────────────────────────────────────────────────────────

    @cached_property
    def _running(self) -> Statement | None:
        """The subscriptions that run, each with the time it began, by the number of the claim."""
        change, first = subscriptions.c, subscriptions.alias("first")
        began = (
            select(func.min(first.c.at, type_=change.at.type))
            .where(first.c.customer_id == change.customer_id, first.c.sku == change.sku)
            .where(first.c.subscription_ref == change.subscription_ref)
            .scalar_subquery()
            .label("began")
        )
        columns = (change.customer_id, change.subscription_ref, change.status, change.renews_at, began)
        asked = [
            select(_numbered(number), *columns)
            .where(change.customer_id.in_(IDS), change.sku == claim.condition.product)
            .where(runs(subscriptions, self.scope.now))
            for number, claim in enumerate(self.claims)
            if isinstance(claim.condition, Owned)
        ]
        return _together(asked, "customer_id", "began", "subscription_ref")

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

    @cached_property
    def _traces(self) -> Statement | None:
        """All use so far of the products that claims of use are about."""
        trace = consumption.c
        products = {claim.sku for claim in self.claims if claim.kind == "consumed"}
        rows = (
            select(trace.sku, trace.customer_id, trace.at, trace.unit, trace.kind)
            .where(trace.customer_id.in_(IDS), trace.sku.in_(sorted(products)))
            .where(trace.kind != "started", trace.at <= self.scope.now)
            .order_by(trace.customer_id, trace.at, trace.unit, trace.kind)
        )
        return rows if products else None

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


@dataclass(frozen=True)
class _Files:
    """What was found: order lines and subscriptions by the number of a claim, uses by the product."""

    lines: Found
    running: Found
    traces: Found


def _purchase_of(claim: Claim) -> Bought | None:
    """The purchase that a claim is about, in whole or in part."""
    condition = claim.condition.bought if isinstance(claim.condition, Owned) else claim.condition
    return condition if isinstance(condition, Bought) else None


def _numbered(number: int) -> ColumnElement[int]:
    return literal_column(str(number), Integer).label("claim")


def _together(asked: Sequence[Select[*tuple[Any, ...]]], *order: str) -> Statement | None:
    """All that is asked in one statement, in that order."""
    if len(asked) < 2:
        return next((rows.order_by(*(rows.selected_columns[name] for name in order)) for rows in asked), None)
    rows = union_all(*asked)
    return rows.order_by(*(rows.selected_columns[name] for name in order))


def _asked(connection: Connection, rows: Statement | None, ids: Sequence[int]) -> Found:
    """What a statement finds of these customers, by its first column and the customer."""
    found: dict[tuple[int | str, int], list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(rows, {"ids": ids}).all() if rows is not None else ():
        found[row[0], row[1]].append(row)
    return found


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
