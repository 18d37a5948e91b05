"""A shop that imports text as files, and shows what is in its store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, delete, select, type_coerce

from engine.clock import VirtualClock
from engine.facts.catalogue import Catalogue
from engine.facts.importing import ImportJob, ImportProgress, ImportSummary, import_files
from engine.facts.mapping import load_mapping
from engine.settings.model import Settings
from engine.settings.shop import Shop
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.tables import metadata
from engine.store.types import Instant
from tests.conftest import NOW

FACTS = (
    *("customers", "identities", "contact_state", "attributes", "consents", "orders"),
    *("order_lines", "refunds", "consumption", "transactions", "subscriptions"),
    "funnel_events",
)


@dataclass
class TestShop:
    """Imports text; each import happens a day after the one before."""

    __test__ = False

    store: Store
    folder: Path
    clock: VirtualClock
    ids: IdFactory
    settings: Settings = field(default_factory=Settings)
    catalogue: Catalogue = field(default_factory=Catalogue)
    told: list[ImportProgress] = field(default_factory=list)

    @property
    def rejects_folder(self) -> Path:
        return self.folder / "rejects"

    def job(
        self, text: str | bytes, kind: str | None = None, mapping: str = "", name: str = "facts.csv"
    ) -> ImportJob:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return ImportJob(path, kind, self.mapping(mapping) if mapping else None)

    def mapping(self, text: str) -> Any:
        path = self.folder / "map.yaml"
        path.write_text(text)
        return load_mapping(path)

    def run(self, *jobs: ImportJob) -> list[ImportSummary]:
        self.clock.advance(timedelta(days=1))
        return import_files(
            *(self.store, self.settings, self.catalogue, jobs),
            now=self.clock.now(),
            ids=self.ids,
            rejects_folder=self.rejects_folder,
            progress=self.told.append,
        )

    def take(self, text: str | bytes, kind: str | None = None, mapping: str = "") -> ImportSummary:
        """Import one file."""
        return self.run(self.job(text, kind, mapping))[0]

    def rejects(self) -> str:
        return (self.rejects_folder / "facts.rejects.csv").read_text()

    def rows(self, table: str, *names: str) -> list[Any]:
        """The rows of a table in order: of one column its values, of several tuples."""
        columns = [_plain(metadata.tables[table].c[name]) for name in names]
        with self.store.reading() as connection:
            found = sorted(map(tuple, connection.execute(select(*columns))), key=repr)
        return [row[0] for row in found] if len(names) == 1 else found

    def everything(self) -> Mapping[str, list[Any]]:
        """All facts as they stand, to the last recorded_at."""
        return {name: self.rows(name, *metadata.tables[name].c.keys()) for name in FACTS}

    def meaning(self) -> Mapping[str, list[Any]]:
        """All facts with people by name instead of id, and without when they were recorded."""
        names = dict(self.rows("identities", "customer_id", "value"))
        dropped = {"customer_id", "lot", "recorded_at"}
        said: dict[str, list[Any]] = {}
        for table in FACTS:
            columns = [column.name for column in metadata.tables[table].c if column.name not in dropped]
            rows = self.rows(table, "customer_id", *columns)
            said[table] = sorted(((names[row[0]], *row[1:]) for row in rows), key=repr)
        return said

    def empty(self) -> None:
        """Begin anew: nothing stored, and the first day again."""
        self.clock = VirtualClock(NOW)
        self.ids = IdFactory(self.clock, seed=1)
        with self.store.writing() as connection:
            for name in (*FACTS, "changes", "rates", "spend", "customer_aliases", "imported_under"):
                connection.execute(delete(metadata.tables[name]))


def _plain(column: Any) -> Any:
    return type_coerce(column, BigInteger) if isinstance(column.type, Instant) else column


@pytest.fixture
def shop(store: Store, tmp_path: Path, clock: VirtualClock, ids: IdFactory) -> TestShop:
    """A shop that sells in dollars, on each database."""
    return TestShop(store, tmp_path, clock, ids)


@pytest.fixture
def pound_shop(shop: TestShop) -> TestShop:
    shop.settings = Settings(shop=Shop(currency="GBP"))
    return shop


def micros(text: str) -> int:
    """An instant as the store keeps it."""
    moment = datetime.fromisoformat(text)
    return round((moment - datetime.fromisoformat("1970-01-01T00:00Z")) / timedelta(microseconds=1))
