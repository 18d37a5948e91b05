"""A tick in which steps are due: none, a thousand, and as many as half of the customers."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

from sqlalchemy import insert, literal, select

from benchmarks import crowd
from benchmarks.bench import Bench
from benchmarks.child import peak
from benchmarks.clocks import in_turn, took
from benchmarks.fifty import catalogue
from benchmarks.findings import Finding
from benchmarks.shop import NOW
from engine.campaigns.load import read_campaign
from engine.campaigns.model import Files
from engine.clock import MICROSECOND
from engine.documents import parse_document
from engine.planning.book import Book
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.state import kept
from engine.settings.model import Settings
from engine.store import tables
from engine.store.connect import Store

FEW = 1_000
RIVALS = 5  # campaigns in which the same people have a step due, of which the caps let one go
CAMPAIGN = """
campaign: {name}
audience: {{bought: {{any: true}}}}
goal: {{bought: {{product: p150}}}}
offers: [p150]
priority: {priority}
steps:
  - id: one
    after: 0
    send: {{days: [mon, tue, wed, thu, fri], between: "08:00-20:00"}}
    email: {{subject: Hello, template: a.html}}
"""
POLICIES = {
    "frequency": [{"max": 1, "per": "1d"}, {"max": 3, "per": "7d"}],
    "minimum_gap": "20h",
    "quiet_hours": "21:00-07:00",
    "cool_down": {"after_purchase": "2d"},
}


def ask(bench: Bench) -> Iterator[Finding]:
    """With every policy on. Each tick is rolled back, so that the next finds the same."""
    customers = bench.large.customers
    bench.say(f"laying out {customers:,} customers, {10 * customers:,} order lines and as many uses")
    store = Store(f"sqlite:///{bench.folder}/due.db")
    crowd.lay(store, customers)
    many = customers // 2
    books = {"one campaign": _book(1), f"{RIVALS} campaigns": _book(RIVALS)}
    for told, book in books.items():
        ticks = [partial(took, partial(Due(store, book, each).tick)) for each in (0, FEW, many)]
        ticks[0]()  # what is made once is made
        none, few, all_due = in_turn(bench.short, *ticks)
        decisions = many * len(book.campaigns)
        yield Finding(f"tick with nothing due, {told}", none, "s")
        yield Finding(f"tick with {FEW:,} people due, against none, {told}", few, "s", none)
        yield Finding(f"tick with {many:,} people due, against {FEW:,}, {told}", all_due, "s", few)
        yield Finding(f"decisions, {told}", decisions / all_due, "a second")
    yield Finding("memory of all this", peak(), "MB")
    store.close()


class RolledBack(Exception):
    pass


@dataclass(frozen=True)
class Due:
    """A shop in which so many people have a step due in each campaign."""

    store: Store
    book: Book
    people: int

    def tick(self) -> None:
        """Plan and merge; what the runs are made of is not measured apart, it is a small part."""
        with suppress(RolledBack), self.store.writing() as connection:
            for campaign in self.book.campaigns:
                connection.execute(self._runs(campaign.id))
            state = kept()
            desk = make_plan(connection, self.book, state, NOW, look_for_entries=False)
            merge(connection, self.book, desk, state, NOW, looked=False)
            raise RolledBack

    def _runs(self, campaign_id: str) -> object:
        entered, due = NOW - timedelta(days=1), NOW - MICROSECOND
        columns = {
            "campaign_id": campaign_id,
            "spell": 1,
            "version": "1",
            "entered_at": entered,
            "held_out": False,
            "status": "active",
            "exit_reason": "",
            "step_id": "one",
            "due_at": due,
            "wake_at": due,
            "updated_at": entered,
        }
        run = tables.enrollments.c
        literals = [literal(value, run[name].type) for name, value in columns.items()]
        who = tables.customers.c.customer_id
        rows = select(who, *literals).where(who <= self.people)
        return insert(tables.enrollments).from_select(["customer_id", *columns], rows)


def _book(campaigns: int) -> Book:
    products = catalogue()
    texts = [CAMPAIGN.format(name=f"c{n}", priority=n) for n in range(campaigns)]
    documents = [parse_document(f"c{n}.yaml", text) for n, text in enumerate(texts)]
    read = [read_campaign(document, products, {}, Decimal(0), {}) for document in documents]
    return Book(Files(products, {}, read), Settings(**POLICIES))
