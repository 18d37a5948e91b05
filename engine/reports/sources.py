"""What did advertising cost, and what have the customers paid whom it brought?

Spend and customers are matched by first touch: by source, and by campaign where spend names one. Who came
nobody knows how is a line of its own, and is spread over no other.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy import Connection

from engine.facts.catalogue import Catalogue
from engine.reports.cohorts import (
    By,
    Paid,
    Traffic,
    come,
    costs,
    first_customer,
    first_spend,
    lay_cohorts,
    paid,
    sold,
    spread,
)
from engine.reports.intervals import Interval, of_a_sum
from engine.reports.ledger import Calendar, Ledger, Return, roi
from engine.reports.periods import Asked, Period, lay_spans, midnight, periods
from engine.settings.model import Settings

HORIZONS = (30, 60, 90, 365)


class Verdict(StrEnum):
    """What to do with a source."""

    SCALE = "scale"
    HOLD = "hold"
    STOP = "stop"
    TOO_FEW = "too few"
    TOO_EARLY = "too early"
    NO_SPEND = ""


@dataclass(frozen=True)
class Line:
    """One traffic: what it cost and brought. Money is in minor units of the shop's currency."""

    traffic: Traffic
    spend: int
    customers: int
    front: int
    returns: Sequence[Return]
    deciding: Return
    breaks_even: int | None  # the day
    margin: int | None  # gross, of what was sold of products whose cost is known
    margin_of: int  # what that was sold for
    verdict: Verdict
    cohorts: Sequence[dict[str, Any]]

    @property
    def front_roi(self) -> float | None:
        return roi(self.front, self.spend)

    @property
    def each(self) -> float | None:
        """What a customer cost."""
        return self.spend / self.customers if self.customers and self.spend else None

    def as_json(self) -> dict[str, Any]:
        names = dict(zip(("source", "campaign", "ad"), self.traffic.names, strict=False))
        return {
            **names,
            "attributed": self.traffic.known,
            "paid_for": self.traffic.paid_for,
            "spend": self.spend,
            "customers": self.customers,
            "cost_per_customer": self.each,
            "front_net": self.front,
            "front_roi": self.front_roi,
            "returns": [each.as_json() for each in self.returns],
            "decided_at": self.deciding.as_json(),
            "breaks_even_on_day": self.breaks_even,
            "gross_margin": self.margin,
            "gross_margin_of": self.margin_of,
            "verdict": self.verdict or None,
            "cohorts": list(self.cohorts),
        }


@dataclass(frozen=True)
class SourcesReport:
    """All traffic of the time asked about; `months` says how many of them are old enough at each age."""

    since: datetime
    until: datetime
    by: By
    payback: int  # days
    months: Sequence[Period]
    mature: Mapping[int, int]
    lines: Sequence[Line]

    def as_json(self) -> dict[str, Any]:
        return {
            "since": self.since,
            "until": self.until,
            "by": self.by,
            "payback_days": self.payback,
            "months": [month.name for month in self.months],
            "months_old_enough": {str(days): number for days, number in self.mature.items()},
            "sources": [line.as_json() for line in self.lines],
        }


@dataclass
class _Account:
    """What is known of one traffic, by the beginning of the month."""

    spend: Counter[datetime] = field(default_factory=Counter)
    customers: Counter[datetime] = field(default_factory=Counter)
    squares: dict[datetime, float] = field(default_factory=dict)
    front: int = 0
    margin: int = 0
    margin_of: int = 0


def sources_report(
    connection: Connection, settings: Settings, catalogue: Catalogue, asked: Asked, by: By
) -> SourcesReport:
    """Ask the database. Without `since` from the first day with spend on, else from the first customer."""
    since = asked.since or _first(connection, settings, asked.until)
    asked = asked._replace(since=since)
    months = periods("month", since, asked.until, settings.zone)
    lay_spans(connection, months)
    lay_cohorts(connection, asked)
    days = settings.sources.payback // timedelta(days=1)
    calendar = Calendar(months, asked.now)
    accounts = _accounts(connection, settings, asked, by, calendar, days)
    _add_margins(connection, by, asked.now, accounts, catalogue, settings)
    lines, done = [], set()
    for traffic, moved in paid(connection, by, asked.now):
        lines.append(_line(traffic, accounts[traffic], list(moved), calendar, days))
        done.add(traffic)
    lines += [
        _line(traffic, its, [], calendar, days) for traffic, its in accounts.items() if traffic not in done
    ]
    lines.sort(key=lambda line: (-line.spend, -line.customers, line.traffic))
    value, others = _value(lines), {line.traffic: line for line in lines}
    judged = [
        replace(line, verdict=_verdict(line, value, _besides(line, others), settings.sources.at_least))
        for line in lines
    ]
    mature = {each: len(calendar.mature(each)) for each in sorted({*HORIZONS, days})}
    return SourcesReport(since.astimezone(UTC), asked.until.astimezone(UTC), by, days, months, mature, judged)


def _first(connection: Connection, settings: Settings, until: datetime) -> datetime:
    day = first_spend(connection)
    found = midnight(day, settings.zone) if day else first_customer(connection)
    return min(found, until) if found else until


def _accounts(
    connection: Connection, settings: Settings, asked: Asked, by: By, calendar: Calendar, days: int
) -> dict[Traffic, _Account]:
    found: dict[Traffic, _Account] = defaultdict(_Account)
    for cost in costs(connection, by, settings.zone, asked):
        found[cost.traffic].spend[calendar.month_of(midnight(cost.day, settings.zone))] += cost.amount
    for came in come(connection, by, asked.now):
        found[came.traffic].customers[came.period] += came.customers
        found[came.traffic].front += came.front
    for each in spread(connection, by, asked.now, days):
        found[each.traffic].squares[each.period] = each.squares
    return dict(found)


def _add_margins(
    connection: Connection,
    by: By,
    now: datetime,
    accounts: Mapping[Traffic, _Account],
    catalogue: Catalogue,
    settings: Settings,
) -> None:
    minor_units = 10 ** get_currency_precision(settings.shop.currency)
    for each in sold(connection, by, now):
        product = catalogue.get(each.sku)
        if product is not None and product.unit_cost is not None:
            account = accounts[each.traffic]
            account.margin += each.amount - round(product.unit_cost * minor_units * each.pieces)
            account.margin_of += each.amount


def _line(traffic: Traffic, account: _Account, moved: Sequence[Paid], calendar: Calendar, days: int) -> Line:
    ledger = Ledger(account.spend, account.customers, moved, calendar)
    decided = ledger.at(days)
    squares = sum(account.squares.get(month, 0.0) for month in calendar.mature(days))
    sure = of_a_sum(decided.net, squares)
    if decided.spend:
        low, high = (bound / decided.spend - 1 for bound in sure)
        decided = replace(decided, interval=Interval(max(low, -1.0), high))
    return Line(
        traffic=traffic,
        spend=account.spend.total(),
        customers=account.customers.total(),
        front=account.front,
        returns=[ledger.at(each) for each in HORIZONS],
        deciding=decided,
        breaks_even=ledger.breaks_even(),
        margin=account.margin if account.margin_of else None,
        margin_of=account.margin_of,
        verdict=Verdict.NO_SPEND,
        cohorts=ledger.cohorts(HORIZONS),
    )


def _value(lines: Sequence[Line]) -> float:
    """What a customer who was paid for is worth at the age that decides; 0 where none is that old."""
    bought = [line.deciding for line in lines if line.spend]
    customers = sum(each.customers for each in bought)
    return sum(each.net for each in bought) / customers if customers else 0.0


def _besides(line: Line, others: Mapping[Traffic, Line]) -> int:
    """What those paid who may have come by this ad as well: by its campaign, and nobody knows by which ad."""
    *campaign, _ = line.traffic.names
    unknown = others.get(Traffic((*campaign, ""), paid_for=True))
    if unknown is None or unknown is line or unknown.spend or not line.traffic.paid_for:
        return 0
    return unknown.deciding.net


def _verdict(line: Line, value: float, besides: int, at_least: int) -> Verdict:
    """By the interval of what came back. A source is judged once it has enough customers, or should have
    had for its money, had it paid. It is not stopped where what others brought `besides` may be its own.
    """
    decided = line.deciding
    if not line.spend:
        return Verdict.NO_SPEND
    if decided.interval is None:
        return Verdict.TOO_EARLY
    due = decided.spend / value if value > 0 else 0.0
    if max(decided.customers, due) < at_least:
        return Verdict.TOO_FEW
    if decided.interval.low > 0:
        return Verdict.SCALE
    high = decided.interval.high + max(besides, 0) / decided.spend
    return Verdict.STOP if high < 0 else Verdict.HOLD
