"""The ways of visitors, counted: how many went each, and what they paid; from these come all rates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select

from engine.reports.intervals import Interval, wilson
from engine.reports.walks import WALKS, taken
from engine.settings.reports import Stage
from engine.store.tables import order_lines, refunds


class Rate(NamedTuple):
    """So many did, of so many who could."""

    did: int
    of: int

    @property
    def share(self) -> float | None:
        return self.did / self.of if self.of else None

    @property
    def interval(self) -> Interval:
        return wilson(self.did, self.of)

    def as_json(self) -> dict[str, Any]:
        sure = self.interval
        return {"did": self.did, "of": self.of, "share": self.share, "low": sure.low, "high": sure.high}


@dataclass
class Ways:
    """The ways of some visitors: what was reached, as bits, with how many and their money."""

    visitors_by: dict[int, int] = field(default_factory=dict)
    money_by: dict[int, int] = field(default_factory=dict)

    def add(self, reached: int, visitors: int, money: int) -> None:
        self.visitors_by[reached] = self.visitors_by.get(reached, 0) + visitors
        self.money_by[reached] = self.money_by.get(reached, 0) + money

    @property
    def visitors(self) -> int:
        return sum(self.visitors_by.values())

    @property
    def money(self) -> int:
        return sum(self.money_by.values())

    def having(self, bits: int) -> int:
        """How many reached all of these."""
        return sum(number for reached, number in self.visitors_by.items() if reached & bits == bits)

    def money_of(self, bits: int) -> int:
        """What those paid who reached all of these."""
        return sum(money for reached, money in self.money_by.items() if reached & bits == bits)

    def rate(self, before: int, after: int) -> Rate:
        """Of those who reached the one, how many reached the other as well."""
        return Rate(self.having(before | after), self.having(before))


def all_ways(connection: Connection) -> Ways:
    """Those of everybody who was laid out."""
    return ways_by(connection).get((), Ways())


def ways_by(connection: Connection, *columns: ColumnElement[Any]) -> Mapping[tuple[Any, ...], Ways]:
    """The same, by the values of some columns of the walks."""
    walk = WALKS.c
    asked = select(*columns, walk.reached, func.count(), func.sum(walk.amount))
    found: dict[tuple[Any, ...], Ways] = {}
    for *group, reached, visitors, money in connection.execute(asked.group_by(*columns, walk.reached)):
        found.setdefault(tuple(group), Ways()).add(int(reached), visitors, int(money))
    return found


def taken_money(connection: Connection, stage: Stage, now: datetime) -> int:
    """What the walkers paid for an offer, without lines that went back, and parts of lines that did."""
    line, back = order_lines.c, refunds.c
    kept = line.refunded_at.is_(None) | (line.refunded_at > now)
    sold = WALKS.join(order_lines, line.customer_id == WALKS.c.customer_id)
    of_line = (
        getattr(back, name) == getattr(line, name) for name in ("customer_id", "order_ref", "line_ref")
    )
    gone = sold.join(refunds, and_(*of_line, back.at <= now))
    paid, returned = (
        connection.scalar(
            select(func.coalesce(func.sum(amount), 0)).select_from(rows).where(*taken(stage, now), kept)
        )
        for amount, rows in ((line.amount, sold), (back.amount, gone))
    )
    return int(paid or 0) - int(returned or 0)


def best_of(groups: Iterable[tuple[str, Rate]], overall: Rate, at_least: int) -> tuple[str, float] | None:
    """The group with the highest share, of those with enough visitors and surely above the share of all."""
    known = overall.share or 0.0
    better = [
        (rate.share or 0.0, name)
        for name, rate in groups
        if rate.of >= at_least and rate.interval.low > known
    ]
    return (max(better)[1], max(better)[0]) if better else None
