"""Cases: the facts of one person, a rule, and whether it holds; in the words of the files themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from engine.clock import InstantField, parse_duration, parse_instant
from engine.documents import Document, read_document
from engine.rules.model import Rule
from engine.rules.parse import RuleParser
from tests.world import CATALOGUE, Attribute, Change, Event, Line, Order, Person, Refund, Sent, Told, Use

FOLDER = Path(__file__).parent.parent / "cases"
Moment = str | int  # an instant, or an age before now such as 3d; 0 is now itself


@dataclass(frozen=True)
class Case:
    """One case, read: the person as plain data, the rule parsed."""

    condition: str
    says: str
    now: datetime
    person: Person
    rule: Rule
    written: Any  # the rule as in the file
    segments: dict[str, Rule]
    holds: bool

    @property
    def name(self) -> str:
        """`bought-a-free-order-counts-because-the-product-is-theirs`"""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.condition} {self.says}".lower()).strip("-")


def read_cases() -> list[Case]:
    """Every case of every table."""
    return [case for path in sorted(FOLDER.glob("*.yaml")) for case in _cases(path)]


def _cases(path: Path) -> Iterator[Case]:
    document = read_document(path)
    table = TableWritten.model_validate(document.data)
    segments = {name: _rule(document, table, ("segments", name)) for name in table.segments}
    for number, case in enumerate(table.cases):
        now = case.now or table.now
        rule = _rule(document, table, ("cases", number, "rule"))
        yield Case(
            table.condition, case.says, now, case.given.person(now), rule, case.rule, segments, case.holds
        )


def _rule(document: Document, table: "TableWritten", path: tuple[str | int, ...]) -> Rule:
    data = document.data
    for part in path:
        data = data[part]
    parser = RuleParser(document, CATALOGUE, list(table.segments), table.campaigns)
    rule = parser.parse(data, path)
    assert not parser.problems, "\n".join(map(str, parser.problems))
    return rule


# ── as written ──────────────────────────────────────────────────────────────────────────────────


class Written(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LineWritten(Written):
    """A line of an order. With `refund` only that much of it went back, else all of it."""

    sku: str
    quantity: int = 1
    amount: Decimal = Decimal(7)
    refunded_at: Moment | None = None
    refund: Decimal | None = None
    position: str = ""
    side: str = "front"

    def line(self, now: datetime) -> Line:
        back = None if self.refunded_at is None or self.refund is not None else moment(self.refunded_at, now)
        return Line(self.sku, self.quantity, minor(self.amount), back, self.position, self.side)

    def refunds(self, now: datetime) -> Iterator[Refund]:
        if self.refunded_at is not None:
            back = self.amount if self.refund is None else self.refund
            yield Refund(moment(self.refunded_at, now), minor(back), self.sku)


class OrderWritten(Written):
    """An order: its lines, or the words of its only line in their place. `opens` a transaction."""

    at: Moment
    paid: bool = True
    source: str = ""
    medium: str = ""
    campaign: str = ""
    opens: bool = False
    lines: list[LineWritten]

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: dict[str, Any]) -> dict[str, Any]:
        if "lines" in data:
            return data
        own = {key: value for key, value in data.items() if key in cls.model_fields}
        return own | {"lines": [{key: value for key, value in data.items() if key not in own}]}

    def order(self, now: datetime) -> Order:
        lines = [line.line(now) for line in self.lines]
        at = moment(self.at, now)
        return Order(at, lines, self.paid, self.source, self.medium, self.campaign, self.opens)


class CreditWritten(Written):
    at: Moment
    amount: Decimal


class UseWritten(Written):
    at: Moment
    sku: str
    unit: str = ""
    kind: str = "completed"


class ChangeWritten(Written):
    """What a file of subscriptions says of one."""

    at: Moment
    sku: str = "club"
    status: str = "active"
    id: str = "s1"
    renews_at: Moment | None = None
    ends_at: Moment | None = None

    def change(self, now: datetime) -> Change:
        renews, ends = (
            None if written is None else moment(written, now) for written in (self.renews_at, self.ends_at)
        )
        return Change(moment(self.at, now), self.sku, self.status, self.id, renews, ends)


class MailWritten(Written):
    """A mail in the outbox; an accepted one was accepted then."""

    at: Moment
    campaign: str
    step: str = "one"
    status: str = "accepted"


class EventWritten(Written):
    """What a provider told of a mail."""

    at: Moment
    kind: str
    campaign: str
    step: str = "one"
    machine: bool = False


class ToldWritten(Written):
    """What a file of the funnel says."""

    at: Moment
    what: str
    sku: str = ""
    stage: str = ""
    checkout_id: str = ""


class AttributeWritten(Written):
    name: str
    value: str
    at: Moment


class PersonWritten(Written):
    """All that is known of one person."""

    known_at: Moment = "365d"
    orders: list[OrderWritten] = []
    credits: list[CreditWritten] = []
    uses: list[UseWritten] = []
    attributes: list[AttributeWritten] = []
    subscriptions: list[ChangeWritten] = []
    mails: list[MailWritten] = []
    events: list[EventWritten] = []
    funnel: list[ToldWritten] = []

    def person(self, now: datetime) -> Person:
        lines = [line for order in self.orders for line in order.lines]
        return Person(
            known_at=moment(self.known_at, now),
            orders=[order.order(now) for order in self.orders],
            refunds=[
                *(refund for line in lines for refund in line.refunds(now)),
                *(Refund(moment(credit.at, now), minor(credit.amount)) for credit in self.credits),
            ],
            uses=[Use(moment(use.at, now), use.sku, use.unit, use.kind) for use in self.uses],
            attributes=[Attribute(a.name, moment(a.at, now), a.value) for a in self.attributes],
            changes=[change.change(now) for change in self.subscriptions],
            mails=[Sent(moment(m.at, now), m.campaign, m.step, m.status) for m in self.mails],
            events=[Event(moment(e.at, now), e.kind, e.campaign, e.step, e.machine) for e in self.events],
            funnel=[Told(moment(t.at, now), t.what, t.sku, t.checkout_id, t.stage) for t in self.funnel],
        )


class CaseWritten(Written):
    says: str
    given: PersonWritten
    rule: Any
    holds: bool
    now: InstantField | None = None


class TableWritten(Written):
    """A whole file. A case may have its own `now`."""

    condition: str
    now: InstantField
    segments: dict[str, Any] = {}
    campaigns: dict[str, list[str]] = {}
    cases: list[CaseWritten]


def moment(written: Moment, now: datetime) -> datetime:
    """The instant, where an age is written as `3d`."""
    try:
        return now - parse_duration(written)
    except ValueError:
        return parse_instant(str(written))


def minor(amount: Decimal) -> int:
    """Hundredths of the shop's currency."""
    return int(amount * 100)
