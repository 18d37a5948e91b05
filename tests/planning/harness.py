"""A shop in a test: campaigns as YAML, people as plain data, and a plan at any instant."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import select

from engine.campaigns.load import read_campaign
from engine.campaigns.model import Files, names_of
from engine.documents import Document, parse_document
from engine.facts.catalogue import Catalogue
from engine.planning.book import Book, Claims
from engine.planning.forecast import assume_sent
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.state import be_the_planner, imagined, kept
from engine.planning.versions import record_versions
from engine.rules.model import Rule
from engine.rules.parse import RuleParser
from engine.settings.model import Settings
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
    broken: tuple[str, ...] = ()  # ids of campaigns whose files have a mistake
    whole: bool = False  # whether these are all the campaigns there are: what is in no file has vanished
    segments: dict[str, str] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=lambda: CATALOGUE)
    _books: dict[Any, Book] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        with self.store.writing() as connection:
            write(connection, self.people)

    @property
    def book(self) -> Book:
        """As the files are now; read again only where they have changed."""
        told = (tuple(self.campaigns), self.broken, self.whole, tuple(self.segments.items()))
        written = (told, self.settings, id(self.claims), id(self.catalogue))
        if written not in self._books:
            self._books = {written: self._read()}
        return self._books[written]

    def _read(self) -> Book:
        documents = [_document(n, text) for n, text in enumerate(self.campaigns)]
        names = {d.data["campaign"]: [step["id"] for step in d.data["steps"]] for d in documents}
        segments = {name: self._rule(text) for name, text in self.segments.items()}
        read = [
            read_campaign(document, self.catalogue, segments, Decimal(0), names) for document in documents
        ]
        sound = [campaign for campaign in read if campaign.id not in self.broken]
        ids = frozenset(campaign.id for campaign in read) if self.whole else None
        files = Files(self.catalogue, segments, sound, ids=ids, names=names_of(read))
        return Book(files, self.settings, self.claims)

    def _rule(self, text: str) -> Rule:
        document = parse_document("segments.yaml", text)
        return RuleParser(document, self.catalogue, ()).parse(document.data, ())

    def tick(self, now: datetime) -> list[Answer]:
        """Plan and merge, as a run does; what was decided."""
        book = self.book
        with self.store.writing() as connection:
            be_the_planner(connection, "test")
            state = kept()
            desk = make_plan(connection, book, state, now)
            answers = _answers(connection, desk)
            record_versions(connection, book, now)
            merge(connection, book, desk, state, now)
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


@cache
def _document(number: int, text: str) -> Document:
    return parse_document(f"{number}.yaml", text)


def _answers(connection: Any, desk: Any) -> list[Answer]:
    runs = desk.runs.c
    rows = select(runs.customer_id, runs.campaign_id, runs.step_id, runs.verdict, runs.reason)
    return [tuple(row) for row in connection.execute(rows.order_by(runs.customer_id, runs.campaign_id))]
