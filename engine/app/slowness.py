"""doctor --slow: how long each rule takes over everybody, how, and which query lacks an index.

What a run asks at each tick should never read a large table from end to end: the people whose facts
changed are looked up one by one, and those whom the time may have changed by indexes of times.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from engine.app.project import Project
from engine.audience.judged import PAYERS, clear
from engine.audience.questions import Questions
from engine.campaigns.model import Campaign
from engine.planning.book import Book
from engine.rules.model import All, CustomerIds, Rule, Scope
from engine.rules.people import people
from engine.store.dialect import gather_statistics
from engine.store.indexes import Missing, missing_indexes
from engine.store.plans import compared, is_large, query_plan, read_whole
from engine.store.tables import customers, enrollments, messages

MANY = 10_000  # rows; to read fewer from end to end is no matter
TICK = timedelta(minutes=10)
ONE_BY_ONE, BY_TIME = "people looked up one by one", "people whom the time may have changed"


@dataclass(frozen=True)
class Timed:
    """One rule, asked of everybody: how many it holds, in how many seconds, by which plan."""

    rule: str
    people: int
    seconds: float
    plan: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Scan:
    """A query of a tick that reads a large table from end to end, and what it compares there."""

    rules: Sequence[str]
    asks: str
    table: str
    columns: Sequence[str]
    missing: Sequence[Missing]

    @property
    def hint(self) -> str:
        if self.missing:
            return "missing: " + "; ".join(f"{index.name}, {index.remedy}" for index in self.missing)
        return f"no index of {self.table} is missing; the database's statistics may be old: ANALYZE it"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"missing": [index.name for index in self.missing], "hint": self.hint}


class _Part(NamedTuple):
    """A query of a tick, and the rule it belongs to."""

    rule: str
    asks: str
    query: CustomerIds


def timed(project: Project, now: datetime, stopwatch: Callable[[], float] = time.monotonic) -> list[Timed]:
    """Every audience and segment over everybody, the slowest first."""
    book = project.book
    with project.store.reading() as connection:
        scope = book.scope(now, connection.dialect.name)
        audiences = {c.id: people(c.audience, scope, customers_only=True) for c in book.campaigns}
        segments = {f"segment {name}": people(rule, scope) for name, rule in book.files.segments.items()}
        rules = [_timed(connection, name, who, stopwatch) for name, who in (audiences | segments).items()]
    return sorted(rules, key=lambda each: -each.seconds)


def _timed(connection: Connection, name: str, who: CustomerIds, stopwatch: Callable[[], float]) -> Timed:
    start = stopwatch()
    count = connection.scalar(select(func.count()).select_from(who.subquery())) or 0
    return Timed(name, count, round(stopwatch() - start, 4), query_plan(connection, who))


def scans(project: Project, now: datetime) -> list[Scan]:
    """The queries of a tick that read a large table from end to end, each once."""
    with project.store.reading() as connection:
        _choose_somebody(connection)
        found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
        for part in _parts(project.book, connection.dialect.name, now):
            for table in read_whole(connection, part.query):
                if is_large(connection, table, MANY):
                    key = (part.asks, table.name, tuple(compared(part.query, table)))
                    found.setdefault(key, []).append(part.rule)
        missing = missing_indexes(connection)
    return [
        Scan(sorted(set(rules)), asks, table, columns, [index for index in missing if index.table == table])
        for (asks, table, columns), rules in found.items()
    ]


def _choose_somebody(connection: Connection) -> None:
    """One candidate stands for the few of a tick; the database is told how few they are."""
    clear(connection)
    somebody = select(customers.c.customer_id).limit(1)
    connection.execute(PAYERS.insert().from_select(["customer_id"], somebody))
    gather_statistics(connection, PAYERS)


def _parts(book: Book, dialect: str, now: datetime) -> Iterator[_Part]:
    each = book.scope(now, dialect).each()
    yield _Part("every campaign", ONE_BY_ONE, _of_candidates(people(All(()), each, customers_only=True)))
    for name, rule in _rules(book):
        for leaf in _leaves(rule, each):
            yield _Part(
                name, ONE_BY_ONE, _of_candidates(select(customers.c.customer_id).where(leaf.test(each)))
            )
    for campaign in book.campaigns:
        asked = Questions([campaign], book.moving_scope(dialect, messages), enrollments)
        asked.ask_at(now, now - TICK)
        for query in (*asked.of_everybody, *asked.crossings_of(campaign)):
            yield _Part(campaign.id, BY_TIME, query)


def _rules(book: Book) -> Iterator[tuple[str, Rule]]:
    for campaign in book.campaigns:
        yield from ((campaign.id, rule) for rule in _rules_of(campaign))
    yield from ((f"segment {name}", rule) for name, rule in book.files.segments.items())


def _rules_of(campaign: Campaign) -> Iterator[Rule]:
    asked = (campaign.audience, campaign.goal, campaign.while_, *(step.when for step in campaign.steps))
    return (rule for rule in asked if rule is not None)


def _leaves(rule: Rule, scope: Scope) -> Iterator[Rule]:
    parts = rule.parts(scope)
    if not parts:
        yield rule
    for part in parts:
        yield from _leaves(part, scope)


def _of_candidates(who: CustomerIds) -> CustomerIds:
    return who.where(customers.c.customer_id.in_(select(PAYERS.c.customer_id)))
