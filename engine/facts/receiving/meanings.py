"""What the names that sources have for products stood for so far.

Where a name is given another product, what was told before stays with the one it had. An event that is taken
up anew lets that go: it never was of the other product.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from engine.facts.bulk import remove
from engine.facts.changes import note_changes
from engine.facts.identity import People
from engine.facts.importers import consumption, funnel
from engine.facts.importers.keyed import Keyed
from engine.store.connect import Store
from engine.store.dialect import insert_ignoring
from engine.store.ids import IdFactory
from engine.store.tables import meanings

KEYED: Mapping[str, Keyed] = {"consumption": consumption.FACTS, "funnel": funnel.FACTS}  # whose key has a sku


@dataclass
class Meanings:
    """The products by the names that sources have for them, and what those names stood for before."""

    products: Mapping[str, str]  # by `source:name`
    known: Mapping[str, Set[str]] = field(default_factory=dict)

    def now(self, source: str, sku: str) -> str:
        """What a source's name of a product stands for; what has no other product is one itself."""
        return self.products.get(_name(source, sku)) or sku

    def before(self, source: str, sku: str) -> Set[str]:
        """What it stood for earlier, and does no more."""
        once = self.known.get(_name(source, sku))
        return {*once, sku} - {self.now(source, sku)} if once else set()


def learn(store: Store, products: Mapping[str, str]) -> Meanings:
    """The products that names stand for by now, and all that they stood for so far."""
    wanted = {(*name.split(":", 1), sku) for name, sku in products.items()}
    names = tuple(meanings.columns.keys())
    with store.reading() as connection:
        stored = {tuple(row) for row in connection.execute(select(*meanings.columns))}
    if fresh := sorted(wanted - stored):
        with store.writing() as connection:
            insert_ignoring(connection, meanings, [dict(zip(names, row, strict=True)) for row in fresh])
    known: dict[str, set[str]] = defaultdict(set)
    for source, name, sku in (*stored, *fresh):
        known[f"{source}:{name}"].add(sku)
    return Meanings(products, known)


def let_go(connection: Connection, told: Iterable[tuple[str, Any, Set[str]]], ids: IdFactory) -> None:
    """Rows that landed, each with its kind and the products under which it may have landed before."""
    by_kind: dict[str, list[tuple[Any, Set[str]]]] = defaultdict(list)
    for kind, row, skus in told:
        by_kind[kind].append((row, skus))
    for kind, rows in by_kind.items():
        facts, people = KEYED[kind], People([row for row, _ in rows], ids)
        people.load(connection)
        names = facts.table.columns.keys()[: facts.key + 1]
        place = names.index("sku") - 1
        gone = {
            (customer, *key[:place], sku, *key[place + 1 :])
            for row, skus in rows
            for key in (facts.split(row)[0],)
            for customer in people.known(row)
            for sku in skus
        }
        remove(connection, facts.table, names, gone)
        note_changes(connection, {key[0] for key in gone}, ids)


def _name(source: str, sku: str) -> str:
    return f"{source}:{sku.removeprefix(f'{source}:')}"
