"""The sample files of a new project are read as its next steps say."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.clock import VirtualClock
from engine.facts.catalogue import load_catalogue
from engine.facts.importing import ImportJob, ImportSummary, import_files
from engine.facts.mapping import load_mapping
from engine.settings.load import load_settings
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.migrate import ensure_current
from engine.store.tables import orders
from engine.trials.demo_shop import FILES
from engine.trials.starter import copy_starter

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy_starter(tmp_path / "shop", now=NOW)
    return tmp_path / "shop"


def read(project: Path, store: Store, jobs: list[ImportJob]) -> list[ImportSummary]:
    ensure_current(store)
    return import_files(
        store,
        load_settings(project),
        load_catalogue(project / "campaigns" / "products.yaml"),
        jobs,
        now=NOW,
        ids=IdFactory(VirtualClock(NOW), seed=1),
        rejects_folder=project / "rejects",
        progress=lambda _: None,
    )


def test_the_canonical_samples_land_whole(project: Path, sqlite_url: str) -> None:
    store = Store(sqlite_url)
    found = read(project, store, [ImportJob(project / "examples" / name) for name in FILES])
    store.close()
    assert [f"{each.kind}.csv" for each in found] == list(FILES)
    assert all(each.inserted == each.read > 0 and not each.notes for each in found)


def test_the_sample_export_lands_by_its_map(project: Path, sqlite_url: str) -> None:
    store = Store(sqlite_url)
    mapping = load_mapping(project / "examples" / "mapping.yaml")
    (found,) = read(project, store, [ImportJob(project / "examples" / "shop-export.csv", mapping=mapping)])
    with store.reading() as connection:
        asked = select(orders.c.order_ref, orders.c.at, orders.c.amount, orders.c.paid)
        landed = [tuple(row) for row in connection.execute(asked.order_by(orders.c.order_ref))]
        unpaid = connection.scalar(select(func.count()).select_from(orders).where(~orders.c.paid))
    store.close()
    assert (found.inserted, found.rejected, found.notes) == (5, 0, ())
    assert landed[0] == ("#1041", datetime(2025, 11, 3, 23, 22, 40, tzinfo=UTC), 1600, True)
    assert unpaid == 1
