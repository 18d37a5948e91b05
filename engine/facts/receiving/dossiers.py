"""All that was told of one order: brought together so that the end is the same in whatever order it came.

Each column of the order keeps its latest value and since when it holds; so do the lines together, and each
refund. The order itself is as old as the first that was told of it, or as its source says.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Connection, delete, select

from engine.clock import EPOCH
from engine.facts.batches import batched
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.saying import Fact, Fields, OfOrder
from engine.facts.refusal import Refused
from engine.store.dialect import insert_ignoring, upsert
from engine.store.tables import dossiers

Key = tuple[str, str]  # source and order
CANCELLED = "cancelled"  # the id of the refund that a cancelled order is


@dataclass
class Dossier:
    """What is known of an order by what was told of it; `waits` are events that could not land yet."""

    source: str
    ref: str
    said: dict[str, Any] = field(default_factory=dict)
    waits: list[str] = field(default_factory=list)

    def add(self, told: Told, of: OfOrder) -> None:
        """Take in what one event says; the same again changes nothing."""
        version = [_micros(of.since), told.event_id]
        for name, value in of.head.items():
            if value:
                self._put(f"head.{name}", version, value)
        if of.lines is not None:
            self._put("lines", version, list(of.lines))
        if of.guess is not None:
            self._put("guess", version, list(of.guess))
        for refund, fields in of.refunds.items():
            self._put_refund(refund, version, fields)
        if of.cancelled:
            self._put(CANCELLED, version, of.cancelled)
        if of.head or of.lines is not None or of.guess is not None:
            self.said["first"] = min(self.said.get("first", of.since), of.since, key=_micros)

    def facts(self) -> Iterator[Fact]:
        """The rows of the order, and of what went back of it. Raises Refused where that is not known yet."""
        for line in self._lines:
            head = {**self._all("head."), "order_id": self.ref}
            yield Fact("orders", {**head, "at": head.get("at") or self.said["first"], **line})
        for refund, fields in sorted(self._all("refund.").items()):
            amount = fields.get("amount") or f"{self._known(self._paid):f}"
            yield Fact("refunds", {**fields, "refund_id": refund, "order_id": self.ref, "amount": amount})
        if self._get(CANCELLED) and self._known(self._left):
            said = {"refund_id": CANCELLED, "order_id": self.ref, "at": self._get(CANCELLED)}
            yield Fact("refunds", {**said, "amount": f"{self._left:f}"})

    def void(self) -> Iterator[Key]:
        """The refund that cancelling was taken for, where it was told of otherwise by now."""
        if self._get(CANCELLED) and self._lines and not self._left:
            yield self.ref, CANCELLED

    def _known(self, amount: Decimal) -> Decimal:
        if not self._lines:
            msg = "is of an order that is not known yet; it lands when the order comes"
            raise Refused(msg, self.ref)
        return amount

    @property
    def _lines(self) -> list[Fields]:
        return list(self._get("lines") or self._get("guess") or ())

    @property
    def _paid(self) -> Decimal:
        total = _number(self._all("head.").get("order_total", ""))
        return total or sum(map(_amount, self._lines), Decimal())

    @property
    def _left(self) -> Decimal:
        """What was not given back yet."""
        known = self._all("refund.").values()
        back = sum((_number(each.get("amount", "")) or self._paid for each in known), Decimal())
        return max(self._paid - back, Decimal())

    def _put(self, name: str, version: list[Any], value: Any) -> None:
        stored = self.said.get(name)
        if stored is None or stored[0] <= version:
            self.said[name] = [version, value]

    def _put_refund(self, refund: str, version: list[Any], fields: Fields) -> None:
        """It was given back when that was first told, for some sources never say when."""
        name = f"refund.{refund}"
        times = [fields["at"], *([self._get(name)["at"]] if name in self.said else [])]
        self._put(name, version, dict(fields))
        self._get(name)["at"] = min(times, key=_micros)

    def _get(self, name: str) -> Any:
        stored = self.said.get(name)
        return stored[1] if stored else None

    def _all(self, prefix: str) -> dict[str, Any]:
        found = {name: stored for name, stored in self.said.items() if name.startswith(prefix)}
        return {name.removeprefix(prefix): stored[1] for name, stored in found.items()}


def require_possible(of: OfOrder) -> None:
    """What cannot be true of any order is not brought together with the rest. Raises Refused."""
    _require_number("order_total", of.head.get("order_total", ""))
    for line in (*(of.lines or ()), *(of.guess or ())):
        for name in ("quantity", "unit_price", "amount"):
            _require_number(name, line.get(name, ""))
    for fields in of.refunds.values():
        _require_number("amount", said := fields.get("amount", ""))
        if said and not _number(said):
            msg = "amount is not above 0"
            raise Refused(msg, said)


def _require_number(name: str, said: str) -> None:
    try:
        number = Decimal(said or 0)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        msg = f"{name} is negative" if number.is_finite() else f"{name} is not a number"
        raise Refused(msg, said)


def load(connection: Connection, keys: Iterable[Key]) -> dict[Key, Dossier]:
    """The dossiers of these orders, held until the transaction ends; new ones where there are none yet."""
    found = {key: Dossier(*key) for key in keys}
    insert_ignoring(connection, dossiers, [_row(each, EPOCH) for _, each in sorted(found.items())])
    table = dossiers.c
    for source in sorted({source for source, _ in found}):
        for refs in batched(sorted(ref for of, ref in found if of == source)):
            asked = select(table.order_ref, table.said).where(table.source == source)
            theirs = asked.where(table.order_ref.in_(refs)).order_by(table.order_ref)
            for ref, said in connection.execute(theirs.with_for_update()):
                kept = json.loads(said)
                found[source, ref] = Dossier(source, ref, kept["said"], kept["waits"])
    return found


def save(connection: Connection, files: Mapping[Key, Dossier], now: datetime) -> None:
    """Write them down, in order of their keys."""
    upsert(connection, dossiers, [_row(each, now) for _, each in sorted(files.items())])


def forget(connection: Connection, keys: Iterable[Key]) -> None:
    """Keep none of these: they are of people who were erased."""
    for source, ref in sorted(keys):
        theirs = (dossiers.c.source == source, dossiers.c.order_ref == ref)
        connection.execute(delete(dossiers).where(*theirs))


def _row(dossier: Dossier, now: datetime) -> dict[str, Any]:
    said = json.dumps({"said": dossier.said, "waits": dossier.waits}, sort_keys=True)
    return {"source": dossier.source, "order_ref": dossier.ref, "said": said, "recorded_at": now}


def _micros(at: str) -> str:
    """An instant in a form in which instants can be compared as text."""
    return f"{datetime.fromisoformat(at).timestamp():020.6f}"


def _number(said: str) -> Decimal:
    try:
        number = Decimal(said or 0)
    except InvalidOperation:  # the columns will say so
        return Decimal()
    return number if number.is_finite() else Decimal()


def _amount(line: Fields) -> Decimal:
    said = line.get("amount")
    if said:
        return _number(said)
    return _number(line.get("unit_price", "")) * _number(line.get("quantity") or "1")
