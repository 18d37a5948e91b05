"""Shops whose facts come as text, as in tests/facts; one that is only read is made once for a file of tests."""

from collections.abc import Iterator

import pytest

from engine.clock import VirtualClock
from engine.store.connect import Store
from engine.store.ids import IdFactory
from tests.conftest import NOW
from tests.facts.conftest import TestShop, shop

__all__ = ["empty_shop", "shop"]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestShop]:
    """Without facts, on each database."""
    folder = tmp_path_factory.mktemp("shop")
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite_copies").new(folder / "aftersale.db")
    else:
        url = request.getfixturevalue("new_postgres")()
    store, clock = Store(url), VirtualClock(NOW)
    yield TestShop(store, folder, clock, IdFactory(clock, seed=1))
    store.close()
