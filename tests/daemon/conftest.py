"""A shop of its own for each test, on either database, with customers for whom something is due."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.app.project import Project
from engine.clock import VirtualClock
from tests.conftest import NOW
from tests.daemon.process import set_clock
from tests.shops import TWO, lay_out

Shops = Callable[[int], Project]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh database of either kind, which every project of the test uses."""
    monkeypatch.setenv("AFTERSALE_DATABASE", request.getfixturevalue(f"{request.param}_url"))
    return str(request.param)


@pytest.fixture
def new_shop(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Shops:
    """Makes a shop with so many customers at NOW, and opens it."""
    for setting in ("RUN__EVERY", "DELIVERY__LEASE"):
        monkeypatch.setenv(f"AFTERSALE_{setting}", "1s")

    def make(customers: int) -> Project:
        make_shop(tmp_path / "shop", customers)
        project = Project(tmp_path / "shop", clock)
        request.addfinalizer(project.close)
        return project

    return make


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop on SQLite, made once; a test works on a copy, which has never mailed."""
    shop = tmp_path_factory.mktemp("shop") / "shop"
    make_shop(shop, customers=60)
    return shop


def make_shop(shop: Path, customers: int) -> None:
    lay_out(shop, customers, only=TWO)
    set_clock(shop, NOW)
