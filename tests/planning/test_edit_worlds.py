"""Invariants 1, 2, 5 and 6 in random worlds whose files are edited all the time, as docs/edits.md has it."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, note, settings
from sqlalchemy import delete

from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.planning.edit_worlds import EditedWorld, Lived, worlds
from tests.worlds import so_many


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('edits')}/store.db")
    ensure_current(store)
    yield store
    store.close()


@given(world=worlds)
@settings(max_examples=so_many(15), suppress_health_check=list(HealthCheck))
def test_whatever_is_edited(shelf: Store, world: EditedWorld) -> None:
    with shelf.writing() as connection:
        for table in tables.metadata.tables.values():
            connection.execute(delete(table))
    lived = Lived(world, shelf)
    try:
        for _ in lived.live():
            pass
    finally:
        note("\n".join(lived.told))
