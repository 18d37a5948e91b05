"""All that was told of one order: brought together so that the end is the same in whatever order it came.

Each column of the order keeps its latest value and since when it holds; so do the lines together, and each
refund. The order itself is as old as the first that was told of it, or as its source says. It falls into
parts, the order and each refund of it, so that what one event lacks is not held against another.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.facts.importers.refunds import NONE, REST
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.saying import APART, VOID, Fact, Fields, OfOrder
from engine.facts.receiving.sums import beyond
from engine.facts.refusal import Refused

Key = tuple[str, str]  # source and order
ORDER = "order"
REFUND = "refund."
RETURNED = "returned."  # what went back in all by then
CANCELLED = "cancelled"  # the part, and the id of the refund, that a cancelled order is
ONCE = "was_cancelled"  # by some word, so that another one may have to take that back
CURRENCY = "currency."  # of the amounts of that name
PAID = "head.paid"
PLACED = "head.at"
FIRST = "first"  # when the order itself was told of first


@dataclass
class Dossier:
    """What is known of an order; `waits` are the events whose part could not land yet."""

    source: str
    ref: str
    home: str  # the shop's currency
    said: dict[str, Any] = field(default_factory=dict)
    waits: dict[str, list[str]] = field(default_factory=dict)  # by part

    def add(self, told: Told, of: OfOrder) -> None:
        """Take in what one event says; the same again changes nothing."""
        version = [_version(of), told.event_id]
        for name, value in _told(of):
            self._put(name, version, value)
        for refund, fields in of.refunds.items():
            self._put_refund(refund, version, fields)
        if of.returned:
            self._put(_returned(of), [f"{_number(of.returned['amount']):040f}", told.event_id], of.returned)
        if of.cancelled:
            self.said[ONCE] = True
        if ORDER in parts_of(of):
            self.said[FIRST] = min(self.said.get(FIRST, of.since), of.since, key=_micros)
        self._remember_lines(of.lines or ())

    @property
    def head(self) -> Fields:
        """What is said of the order as a whole."""
        said = self._all("head.")
        known = {**said, "order_id": self.ref, "currency": self._currency()}
        if self._get(CANCELLED) and self._lines and not self._paid:
            known["paid"] = "no"  # there is nothing to give back, and what was free is not theirs either
        return {**known, "at": self._placed} if FIRST in self.said else known

    @property
    def _placed(self) -> str:
        """When the order was placed; '' where it was not told of itself."""
        return (self._get(PLACED) or self.said[FIRST]) if FIRST in self.said else ""

    @property
    def parts(self) -> list[str]:
        """The names of its parts, the order first."""
        backs = sorted(name for name in self.said if name.startswith((REFUND, RETURNED)))
        return [ORDER, *backs, *([CANCELLED] if self._get(CANCELLED) or ONCE in self.said else [])]

    def facts(self, part: str) -> Iterator[Fact]:
        """The rows of that part. Raises Refused."""
        if part == ORDER:
            yield from (Fact("orders", {**self.head, **line}) for line in self._lines)
        elif part == CANCELLED:
            yield self._refund(CANCELLED, self._cancelled)
        elif part.startswith(RETURNED):
            yield self._refund(part, self._beyond(part))
        else:
            yield self._refund(part.removeprefix(REFUND), self._standing(self._get(part)))

    def take_over(self, other: "Dossier") -> None:
        """What went back that was told under another number of the order, and what waits of it."""
        for name in [name for name in other.said if name.startswith(REFUND)]:
            version, fields = other.said.pop(name)
            self._put_refund(name.removeprefix(REFUND), version, fields)
        for name in [name for name in other.said if name.startswith(RETURNED)]:
            self._put(name, *other.said.pop(name))
        for part, ids in other.waits.items():
            self.waits[part] = sorted({*self.waits.get(part, ()), *ids})
        other.waits = {}

    def _refund(self, refund: str, fields: Fields) -> Fact:
        """Where nothing says how much, it is all that did not go back otherwise."""
        if not fields.get("amount"):
            fields = {**fields, "amount": REST, "currency": ""}
        columns = {name: said for name, said in fields.items() if name not in (VOID, APART)}
        at = max(fields["at"], self._placed or fields["at"], key=_micros)  # a clock may be fast
        return Fact("refunds", {**columns, "refund_id": refund, "order_id": self.ref, "at": at})

    @property
    def _cancelled(self) -> Fields:
        """What was never paid is not given back."""
        at = self._get(CANCELLED)
        return {"at": at} if at and self.head.get("paid") != "no" else _none(at or self._placed)

    def _beyond(self, part: str) -> Fields:
        """What of a sum no single refund tells of, and no sum of an earlier time."""
        sums = {name: _number(fields["amount"]) for name, fields in self._all(RETURNED).items()}
        single = [each for each in self._all(REFUND).values() if APART not in each]
        told = sum((_number(each.get("amount")) for each in single), Decimal())
        fields = self._get(part)
        left = beyond(sums, told)[part.removeprefix(RETURNED)]
        return {**fields, "amount": f"{left:f}"} if left else _none(fields["at"])

    def _standing(self, fields: Fields) -> Fields:
        """The refund as it is to be taken off what the order costs by now; nothing where that was done."""
        if VOID in fields:
            return _none(fields["at"])
        if APART in fields and self._takes_all(fields):
            return {**fields, "amount": ""}
        if not self._lost(fields):
            return fields
        if not fields.get("amount"):
            msg = "amount is missing, and its order has that line no more"
            raise Refused(msg)
        if fields.get("currency", "").upper() not in ("", self._currency()):
            msg = "currency is another than the order's, which has that line no more"
            raise Refused(msg)
        kept = self._paid - sum(map(_amount, self._lines), Decimal())
        return _of_whole(fields) if _number(fields["amount"]) <= kept else _none(fields["at"])

    def _takes_all(self, fields: Fields) -> bool:
        """Whether as much was taken as was paid, or more, as by an exchange: then it is what was left."""
        ours = fields.get("currency", "").upper() in ("", self._currency())
        return ours and FIRST in self.said and 0 < self._paid <= _number(fields["amount"])

    def _lost(self, fields: Fields) -> bool:
        """Whether it is of a line that the order had once, and has no more."""
        wanted = _named(fields)
        return bool(self._lines and any(wanted)) and (
            not any(_fits(wanted, _named(line)) for line in self._lines)
            and any(_fits(wanted, name) for name in self.said.get("ever", ()))
        )

    def _currency(self) -> str:
        """That of the order's amounts. Raises Refused where they are told in several."""
        lines = "lines" if self._get("lines") else "guess"
        told = {(self._get(f"{CURRENCY}{name}") or "").upper() for name in (lines, "order_total")} - {""}
        if len(told) > 1:
            msg = "has its total in another currency than its products"
            raise Refused(msg)
        return str(told.pop() if told else self._get("head.currency") or self.home).upper()

    @property
    def _lines(self) -> list[Fields]:
        return list(self._get("lines") or self._get("guess") or ())

    @property
    def _paid(self) -> Decimal:
        total = _number(self._get("head.order_total"))
        return total or sum(map(_amount, self._lines), Decimal())

    def _put(self, name: str, version: list[Any], value: Any) -> None:
        """The latest word; but what was paid once stays paid, for money goes back by refunds alone.

        Of when an order was placed the earliest counts: where a clock is fast, that is as old as it came.
        """
        stored = self.said.get(name)
        if name == PLACED and stored is not None:
            value = min(value, stored[1], key=_micros)
            version = max(version, stored[0])
        if name == PAID and stored is not None and stored[1] != value:
            self.said[name] = [version, value] if value == "yes" else stored
        elif stored is None or stored[0] <= version:
            self.said[name] = [version, value]

    def _put_refund(self, refund: str, version: list[Any], fields: Fields) -> None:
        """It was given back when that was first told, for some sources never say when."""
        name = f"{REFUND}{refund}"
        times = [fields["at"], *([self._get(name)["at"]] if name in self.said else [])]
        self._put(name, version, dict(fields))
        version, latest = self.said[name]
        self.said[name] = [version, {**latest, "at": min(times, key=_micros)}]

    def _remember_lines(self, lines: Iterable[Fields]) -> None:
        ever = {*map(tuple, self.said.get("ever", ())), *map(_named, lines)}
        self.said["ever"] = sorted(map(list, ever))

    def _get(self, name: str) -> Any:
        stored = self.said.get(name)
        return stored[1] if stored else None

    def _all(self, prefix: str) -> dict[str, Any]:
        found = {name: stored for name, stored in self.said.items() if name.startswith(prefix)}
        return {name.removeprefix(prefix): stored[1] for name, stored in found.items()}


def parts_of(of: OfOrder) -> list[str]:
    """The parts of its order that an event speaks of."""
    whole = bool(of.head) or of.lines is not None or of.guess is not None
    refunds = [f"{REFUND}{refund}" for refund in of.refunds]
    returned = [_returned(of)] if of.returned else []
    return [*([ORDER] if whole else []), *refunds, *returned, *([CANCELLED] if of.cancelled else [])]


def _told(of: OfOrder) -> Iterator[tuple[str, Any]]:
    """What an event says of an order, thing by thing; beside each amount its currency."""
    lines = {
        name: list(each) for name, each in (("lines", of.lines), ("guess", of.guess)) if each is not None
    }
    yield from ((f"head.{name}", value) for name, value in of.head.items() if value)
    yield from lines.items()
    if of.cancelled is not None:
        yield CANCELLED, of.cancelled
    amounts = {"order_total": of.head.get("order_total"), **lines}
    yield from ((f"{CURRENCY}{name}", of.head.get("currency", "")) for name, each in amounts.items() if each)


def _version(of: OfOrder) -> str:
    """Of several words at one instant, which for shops is a second, that on a paid order is the latest."""
    return _micros(of.since) + ("+" if of.head.get("paid") == "yes" else "")


def _returned(of: OfOrder) -> str:
    """The name of a sum: those of one time are the same, and the largest of them counts."""
    return f"{RETURNED}{_micros(of.since)}"


def _none(at: str) -> Fields:
    return {"at": at, "amount": NONE}


def _micros(at: str) -> str:
    """An instant in a form in which instants can be compared as text."""
    return f"{datetime.fromisoformat(at).timestamp():020.6f}"


def _named(fields: Fields) -> tuple[str, str]:
    return fields.get("line_id", ""), fields.get("sku", "")


def _fits(wanted: tuple[str, str], line: Iterable[str]) -> bool:
    return all(each in ("", its) for each, its in zip(wanted, line, strict=True))


def _of_whole(fields: Fields) -> Fields:
    return {name: said for name, said in fields.items() if name not in ("line_id", "sku")}


def _amount(line: Fields) -> Decimal:
    if said := line.get("amount"):
        return _number(said)
    return _number(line.get("unit_price")) * _number(line.get("quantity") or "1")


def _number(said: str | None) -> Decimal:
    try:
        number = Decimal(said or 0)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        msg = "is no number"
        raise Refused(msg)
    return number
