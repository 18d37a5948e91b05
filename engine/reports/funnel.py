"""Where are visitors lost on the way to the first order, and what would mending that bring?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection

from engine.reports.constraint import Constraint, Judged, constraint_of, judge
from engine.reports.periods import Asked, Length, Period, lay_spans, periods
from engine.reports.touch import named
from engine.reports.walks import WALKS, Bits, bought_before, lay_visitors, lay_walks, machines
from engine.reports.ways import Rate, Ways, all_ways, taken_money, ways_by
from engine.settings.model import Settings
from engine.settings.reports import Stage

By = Literal["source", "campaign", "device", "week", "month"]


@dataclass(frozen=True)
class Link:
    """A stage that is reached from another: the one before it, or for an offer where it was made."""

    stage: Stage
    before: int  # bits
    after: int

    def rate(self, ways: Ways) -> Rate:
        return ways.rate(self.before, self.after)


@dataclass(frozen=True)
class Reached:
    """A stage, how many visitors reached it, and how it stands against what it could be."""

    stage: Stage
    visitors: int
    rate: Rate | None  # of those at the stage before; None of the first stage
    judged: Judged | None

    def as_json(self) -> dict[str, Any]:
        judged = self.judged.as_json() if self.judged else {}
        return {
            "stage": self.stage.name,
            "kind": self.stage.kind,
            "visitors": self.visitors,
            "rate": self.rate.as_json() if self.rate else None,
            **judged,
        }


@dataclass(frozen=True)
class Group:
    """The visitors of one source, campaign, device, week or month."""

    name: str
    visitors: int
    money: int
    rates: Mapping[str, Rate]  # by stage

    def as_json(self) -> dict[str, Any]:
        rates = {name: rate.as_json() for name, rate in self.rates.items()}
        return {"name": self.name or None, "visitors": self.visitors, "net": self.money, "rates": rates}


@dataclass(frozen=True)
class FunnelReport:
    """The funnel of those first seen from `since` up to `until`. Money is in the shop's minor units."""

    since: datetime
    until: datetime
    visitors: int
    machines: int
    bought_before: int
    money: int
    stages: Sequence[Reached]
    opt_in: Rate | None
    sales: Rate | None
    abandoned: Rate | None
    constraint: Constraint
    groups: Sequence[Group]

    def as_json(self) -> dict[str, Any]:
        whole = {"opt_in": self.opt_in, "sales_conversion": self.sales, "abandonment": self.abandoned}
        return {
            "since": self.since,
            "until": self.until,
            "visitors": self.visitors,
            "bots": self.machines,
            "bought_before": self.bought_before,
            "net": self.money,
            "net_per_visitor": self.money / self.visitors if self.visitors else None,
            "stages": [stage.as_json() for stage in self.stages],
            **{name: rate.as_json() if rate else None for name, rate in whole.items()},
            "constraint": self.constraint.as_json(),
            "groups": [group.as_json() for group in self.groups],
        }


def funnel_report(
    connection: Connection, settings: Settings, asked: Asked, by: By | None = None
) -> FunnelReport:
    """Ask the database; the measure of a stage without a target is its best source, or month or week."""
    stages, at_least = settings.funnel.stages, settings.funnel.at_least
    now, until = asked.now, asked.until
    earliest = lay_visitors(connection, asked)
    since = asked.since or earliest or until
    length: Length = "week" if by == "week" else "month"
    spans = periods(length, since, until, settings.zone)
    lay_spans(connection, spans)
    lay_walks(connection, stages, now, settings.front_end.window)
    ways = all_ways(connection)
    links = list(_links(stages, ways))
    by_source, by_period = _by_source(connection), _by_period(connection, spans)
    measures = [(f"source {name}", its) for name, its in by_source.items() if name] + [*by_period.items()]
    judged = [
        judge(
            link.stage,
            link.rate(ways),
            [(name, link.rate(its)) for name, its in measures],
            _money(connection, link, ways, now),
            ways.visitors,
            at_least,
        )
        for link in links
    ]
    groups = by_period if by in ("week", "month") else _groups(connection, by, by_source)
    return FunnelReport(
        since=since,
        until=until,
        visitors=ways.visitors,
        machines=machines(connection, since, until),
        bought_before=bought_before(connection),
        money=ways.money,
        stages=list(_reached(stages, judged, ways)),
        opt_in=_of_kind(links, "opt-in", ways),
        sales=_sales(stages, ways),
        abandoned=_abandoned(stages, ways),
        constraint=constraint_of(judged, ways.visitors),
        groups=[_group(name, its, links) for name, its in groups.items()],
    )


def _links(stages: Sequence[Stage], ways: Ways) -> Iterator[Link]:
    """Each stage but the first with the one before it. Offers lead off the way: nobody has to take them."""
    bits = Bits.of(stages)
    order = next(bits.reached[stage.name] for stage in stages if stage.kind == "order")
    before = 0
    for stage in stages:
        own = bits.reached[stage.name]
        if stage.is_offer:
            told = ways.having(bits.told[stage.name])  # else the source tells only what was taken
            yield Link(stage, bits.shown[stage.name] if told else order, own)
            continue
        if before:
            yield Link(stage, before, own)
        before = own


def _money(connection: Connection, link: Link, ways: Ways, now: datetime) -> int:
    """What came in through this link and through no other way."""
    if link.stage.is_offer:
        return taken_money(connection, link.stage, now)
    return ways.money_of(link.before | link.after)


def _reached(stages: Sequence[Stage], judged: Sequence[Judged], ways: Ways) -> Iterator[Reached]:
    measured = {each.stage.name: each for each in judged}
    bits = Bits.of(stages)
    for stage in stages:
        found = measured.get(stage.name)
        yield Reached(stage, ways.having(bits.reached[stage.name]), found.rate if found else None, found)


def _by_source(connection: Connection) -> Mapping[str, Ways]:
    return _most_first({row[0]: ways for row, ways in ways_by(connection, WALKS.c.source).items()})


def _by_period(connection: Connection, spans: Sequence[Period]) -> Mapping[str, Ways]:
    found = {row[0]: ways for row, ways in ways_by(connection, WALKS.c.period).items()}
    return {span.name: found[span.begins] for span in spans if span.begins in found}


def _groups(connection: Connection, by: By | None, by_source: Mapping[str, Ways]) -> Mapping[str, Ways]:
    if by is None:
        return {}
    if by == "source":
        return by_source
    walk = WALKS.c
    columns: Sequence[ColumnElement[Any]] = (walk.device,) if by == "device" else (walk.source, walk.campaign)
    found = ways_by(connection, *columns)
    return _most_first({named(row): ways for row, ways in found.items()})


def _most_first(groups: Mapping[str, Ways]) -> Mapping[str, Ways]:
    return dict(sorted(groups.items(), key=lambda item: (-item[1].visitors, item[0])))


def _group(name: str, ways: Ways, links: Sequence[Link]) -> Group:
    rates = {link.stage.name: link.rate(ways) for link in links}
    return Group(name, ways.visitors, ways.money, rates)


def _of_kind(links: Sequence[Link], kind: str, ways: Ways) -> Rate | None:
    return next((link.rate(ways) for link in links if link.stage.kind == kind), None)


def _sales(stages: Sequence[Stage], ways: Ways) -> Rate | None:
    """Of those who saw the sales page, who ordered."""
    return _to_order(stages, "sales-page", ways)


def _abandoned(stages: Sequence[Stage], ways: Ways) -> Rate | None:
    """Of those who came to the order form, who did not order."""
    rate = _to_order(stages, "order-form", ways)
    return Rate(rate.of - rate.did, rate.of) if rate else None


def _to_order(stages: Sequence[Stage], kind: str, ways: Ways) -> Rate | None:
    bits = {stage.kind: Bits.of(stages).reached[stage.name] for stage in stages}
    return ways.rate(bits[kind], bits["order"]) if kind in bits else None
