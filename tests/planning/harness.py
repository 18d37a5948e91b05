"""A shop in a test: campaigns as YAML, people as plain data, and a plan at any instant."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from engine.campaigns.load import read_campaign
from engine.campaigns.model import Files
from engine.documents import parse_document
from engine.planning.book import Book, Claims
from engine.planning.forecast import assume_sent
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.state import be_the_planner, imagined, kept
from engine.settings import Settings
from engine.store import tables
from engine.store.connect import Store
from tests.world import CATALOGUE, Consent, Line, Order, Person, write

DAY = timedelta(days=1)
Answer = tuple[int, str, str, str, str]  # customer, campaign, step, verdict, reason


def campaign_text(name: str = "plain", **more: Any) -> str:
    """A campaign for whoever bought the guide, with one step that is due at once."""
    keys = {"campaign": name, "audience": "{bought: {product: guide}}", "holdout": "0%"} | more
    steps = keys.pop("steps", "[{id: one, after: 0, email: {subject: Hello, template: a.html}}]")
    return "\n".join([*(f"{key.rstrip('_')}: {value}" for key, value in keys.items()), f"steps: {steps}"])


def buyer(now: datetime, **more: Any) -> Person:
    """Someone who bought the guide ten days ago and agreed to get mail."""
    facts: dict[str, Any] = {
        "known_at": now - 90 * DAY,
        "orders": [Order(now - 10 * DAY, [Line("guide")])],
        "consents": [Consent(now - 10 * DAY)],
        "email": "ann@example.com",
    }
    return Person(**(facts | more))


@dataclass
class Shop:
    """A store with people in it and a book of campaigns over it."""

    store: Store
    campaigns: list[str]
    settings: Settings = field(default_factory=Settings)
    claims: Claims = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    sends: bool = True  # whether what is planned leaves at once
    read: tuple[Any, Book] | None = None  # the book as it was read last, and of what

    def __post_init__(self) -> None:
        with self.store.writing() as connection:
            write(connection, self.people)

    @property
    def book(self) -> Book:
        """Read once for the same files, as a project does."""
        of = (tuple(self.campaigns), self.settings, id(self.claims))
        if self.read is None or self.read[0] != of:
            self.read = of, self._read()
        return self.read[1]

    def _read(self) -> Book:
        documents = [parse_document(f"{n}.yaml", text) for n, text in enumerate(self.campaigns)]
        names = {d.data["campaign"]: [step["id"] for step in d.data["steps"]] for d in documents}
        read = [read_campaign(document, CATALOGUE, {}, Decimal(0), names) for document in documents]
        return Book(Files(CATALOGUE, {}, read), self.settings, self.claims)

    def tick(self, now: datetime) -> list[Answer]:
        """Plan and merge, as a run does; what was decided."""
        with self.store.writing() as connection:
            be_the_planner(connection, "test")
            state = kept()
            desk = make_plan(connection, self.book, state, now)
            answers = _answers(connection, desk)
            merge(connection, self.book, desk, state, now)
            if self.sends:
                assume_sent(connection, state)
        return answers

    def preview(self, now: datetime) -> list[Answer]:
        """Plan and let go, as a preview does."""
        with self.store.reading() as connection:
            return _answers(connection, make_plan(connection, self.book, imagined(connection), now))

    def reasons(self, now: datetime) -> list[tuple[str, str]]:
        """The verdict and reason of everybody with a step due, by customer."""
        return [(verdict, reason) for *_, verdict, reason in self.tick(now)]

    def rows(self, name: str) -> list[dict[str, Any]]:
        table = tables.metadata.tables[name]
        with self.store.reading() as connection:
            ordered = select(table).order_by(*table.primary_key)
            return [dict(row) for row in connection.execute(ordered).mappings()]

    def add(self, name: str, /, **row: Any) -> None:
        with self.store.writing() as connection:
            connection.execute(tables.metadata.tables[name].insert(), row)


def _answers(connection: Any, desk: Any) -> list[Answer]:
    runs = desk.runs.c
    rows = select(runs.customer_id, runs.campaign_id, runs.step_id, runs.verdict, runs.reason)
    return [tuple(row) for row in connection.execute(rows.order_by(runs.customer_id, runs.campaign_id))]
