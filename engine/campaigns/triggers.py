"""`on`: what begins a run, where it is not simply that the audience holds somebody.

Either something that a customer does or that befalls them, each time anew, or a moment for everybody.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import ColumnElement, Select, select

from engine.campaigns.crontab import Crontab
from engine.clock import LAST, Duration, format_duration
from engine.documents import Document, KeyPath, problems_of
from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import Consumed
from engine.rules.conditions.started import Started
from engine.rules.model import Condition, Scope
from engine.rules.parse import RuleParser
from engine.store.tables import consumption, order_lines, subscriptions
from engine.zones import DAY

FACTS = {  # the conditions that tell of something done, and their words that tell of what
    "bought": {"product", "kind", "category", "tag", "any", "position", "end"},
    "started": {"product", "unit"},
    "consumed": {"product", "unit"},
}
KEYS = (*FACTS, "renews", "date", "cron")
_DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:00)?")


class Renews(BaseModel):
    """A subscription's renewal comes near."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    product: str = Field(description="the subscription's sku")
    before: Duration = Field(description="so long before it renews")


class Happenings(NamedTuple):
    """The rows of facts that tell of it; it happens `ahead` of the time in the column."""

    rows: Select[Any]  # whose first column is the customer's id
    column: ColumnElement[Any]
    ahead: timedelta = timedelta(0)


@dataclass(frozen=True)
class Trigger:
    """One of these: something done, a renewal, or moments by the shop's clock."""

    definition: str  # as written, to tell whether it is still the same
    fact: Condition | None = None
    renews: Renews | None = None
    dates: tuple[datetime, ...] = ()  # as the clock shows them
    cron: Crontab | None = None

    @property
    def of_everybody(self) -> bool:
        """Whether it is a moment, the same for all."""
        return bool(self.dates or self.cron)

    def happenings(self, scope: Scope) -> Happenings:
        """What happens to customers, at any time."""
        if self.renews is not None:
            table = subscriptions
            rows = select(table.c.customer_id).where(
                table.c.sku == self.renews.product, table.c.status == "active"
            )
            ends = table.c.until.is_(None) | (table.c.until > scope.moment())
            return Happenings(rows.where(ends), table.c.renews_at, self.renews.before)
        if isinstance(self.fact, Bought):
            rows = select(order_lines.c.customer_id).where(self.fact.rows(scope))
            return Happenings(rows, order_lines.c.at)
        assert isinstance(self.fact, Consumed | Started)  # noqa: S101 - nothing else is left
        rows = select(consumption.c.customer_id).where(consumption.c.sku == self.fact.product)
        if self.fact.unit is not None:
            rows = rows.where(consumption.c.unit == self.fact.unit)
        kind = "started" if isinstance(self.fact, Started) else "completed"
        return Happenings(rows.where(consumption.c.kind == kind), consumption.c.at)

    def last_moment(self, after: datetime, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The last moment after one instant, and not after another."""
        for back in (timedelta(hours=2), 2 * DAY, 40 * DAY, 800 * DAY, now - after):
            found = list(self.moments(max(after, now - back), now, zone))
            if found or now - back <= after:
                return found[-1] if found else None
        return None

    def next_moment(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """The first moment after an instant."""
        if self.cron is not None:
            return self.cron.next_moment(after, zone)
        return next(self.moments(after, LAST, zone), None)

    def moments(self, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """All moments after one instant and not after another."""
        if self.cron is not None:
            return self.cron.moments(after, until, zone)
        times = sorted({date.replace(tzinfo=zone).astimezone(UTC) for date in self.dates})
        return (time for time in times if after < time <= until)

    def sentence(self, scope: Scope) -> str:
        """When it begins a run, in words."""
        if self.renews is not None:
            return f"{format_duration(self.renews.before)} before {self.renews.product} renews"
        if self.fact is not None:
            return f"whenever somebody {self.fact.sentence(scope)}"
        dates = (f"{date:%Y-%m-%d %H:%M}" for date in self.dates)
        return f"at {self.cron.line if self.cron else ', '.join(dates)} by the shop's clock"


def read_trigger(parser: RuleParser, data: Any) -> Trigger | None:
    """The trigger that `on:` describes. Where it is wrong, problems are noted with the parser."""
    path: KeyPath = ("on",)
    if not isinstance(data, dict) or len(data) != 1:
        parser.problems.append(
            parser.document.problem(
                path, f"write one of {', '.join(KEYS)}", "such as bought: {product: guide}"
            )
        )
        return None
    [(key, words)] = data.items()
    reader = _READERS.get(key)
    if reader is None:
        hint = did_you_mean(str(key), KEYS) or f"write one of {', '.join(KEYS)}"
        parser.problems.append(parser.document.problem((*path, key), f"nothing begins with {key!r}", hint))
        return None
    return reader(parser, words, (*path, str(key)))


def _of_fact(parser: RuleParser, words: Any, path: KeyPath) -> Trigger | None:
    key, before = str(path[-1]), len(parser.problems)
    for word in words if isinstance(words, dict) else ():
        if word not in FACTS[key]:
            hint = "ask it of the audience"
            parser.problems.append(
                parser.document.problem((*path, word), f"{word!r} cannot stand under on:", hint)
            )
    if len(parser.problems) > before:
        return None
    fact = parser.parse({key: words}, path[:-1])
    if len(parser.problems) > before or not isinstance(fact, Condition):
        return None
    if key == "consumed" and not words.get("unit"):
        parser.problems.append(
            parser.document.problem(path, "name the unit that is completed", "such as unit: lesson-3")
        )
    return Trigger(repr(sorted(words.items(), key=str)) + key, fact=fact)


def _of_renewal(parser: RuleParser, words: Any, path: KeyPath) -> Trigger | None:
    try:
        renews = Renews.model_validate(words)
    except ValidationError as error:
        parser.problems += problems_of(parser.document, Renews, error, path)
        return None
    if renews.product not in parser.catalogue:
        parser.problems.append(_unknown(parser.document, parser.catalogue, renews.product, path))
    return Trigger(repr(renews), renews=renews)


def _unknown(document: Document, catalogue: Catalogue, sku: str, path: KeyPath) -> Problem:
    hint = did_you_mean(sku, catalogue) or "add it to campaigns/products.yaml"
    return document.problem((*path, "product"), f"unknown product {sku!r}", hint)


def _of_dates(parser: RuleParser, words: Any, path: KeyPath) -> Trigger | None:
    dates = []
    for told in words if isinstance(words, list) else [words]:
        try:
            if not _DATE.fullmatch(str(told)):
                raise ValueError
            dates.append(datetime.fromisoformat(str(told)))
        except ValueError:
            hint = "by the shop's clock, such as 2026-11-27 09:00"
            parser.problems.append(parser.document.problem(path, f"{told!r} is not a date with a time", hint))
    return Trigger(repr(dates), dates=tuple(dates)) if dates else None


def _of_cron(parser: RuleParser, words: Any, path: KeyPath) -> Trigger | None:
    try:
        line = Crontab(str(words))
    except ValueError as error:
        hint = "minute, hour, day of the month, month, day of the week, such as 0 9 1 * *"
        parser.problems.append(parser.document.problem(path, f"{words!r}: {error}", hint))
        return None
    return Trigger(line.line, cron=line)


_READERS: Mapping[Any, Callable[[RuleParser, Any, KeyPath], Trigger | None]] = {
    **dict.fromkeys(FACTS, _of_fact),
    "renews": _of_renewal,
    "date": _of_dates,
    "cron": _of_cron,
}
