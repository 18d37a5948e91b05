"""Opening a database, and the words for what can go wrong with it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from engine.errors import (
    NotAdopted,
    SettingsError,
    StoreClash,
    StoreError,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)
from engine.store import tables
from engine.store.connect import Store, translated_errors
from engine.store.dialect import address_hash, database_now, insert_from_select, insert_ignoring, upsert
from engine.store.migrate import ensure_current
from tests.conftest import NOW

LEASE = {"name": "planner", "owner": "me", "epoch": 1, "expires_at": NOW}


def test_what_is_read_sees_one_state_and_leaves_no_trace(store: Store) -> None:
    with store.reading() as connection:
        before = connection.execute(select(tables.leases)).all()
        with store.writing() as other:
            other.execute(insert(tables.leases).values(LEASE))
        assert connection.execute(select(tables.leases)).all() == before == []
    with store.reading() as connection:
        assert len(connection.execute(select(tables.leases)).all()) == 1


def test_what_fails_is_not_written_at_all(store: Store) -> None:
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(insert(tables.leases).values(LEASE))
        connection.execute(insert(tables.leases).values(LEASE))
    with store.reading() as connection:
        assert connection.execute(select(tables.leases)).all() == []


@pytest.mark.postgres
def test_two_who_wait_for_each_other_are_told_of_a_clash(postgres_url: str) -> None:
    store, both_hold_one = Store(postgres_url), Barrier(2)
    with store.writing() as connection:
        connection.execute(insert(tables.leases), [LEASE | {"name": name} for name in "ab"])

    def take(names: str) -> bool:
        try:
            with store.writing() as connection:
                for name in names:
                    connection.execute(
                        update(tables.leases).where(tables.leases.c.name == name).values(epoch=2)
                    )
                    if name == names[0]:
                        both_hold_one.wait()
        except StoreClash:
            return False
        return True

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(take, ["ab", "ba"])) == [False, True]
    store.close()


def test_an_upsert_keeps_the_new_values_and_an_ignoring_insert_the_old(store: Store) -> None:
    with store.writing() as connection:
        insert_ignoring(connection, tables.leases, [LEASE, LEASE | {"owner": "late"}])
        assert connection.scalar(select(tables.leases.c.owner)) == "me"
        upsert(connection, tables.leases, [LEASE | {"owner": "new"}])
        assert connection.scalar(select(tables.leases.c.owner)) == "new"


def test_insert_from_select_counts_what_it_wrote(store: Store) -> None:
    names = ["name", "owner", "epoch", "expires_at"]
    with store.writing() as connection:
        connection.execute(insert(tables.leases).values(LEASE))
        same = select(*(tables.leases.c[name] for name in names))
        assert insert_from_select(connection, tables.leases, names, same) == 0
        other = select(text("'other'"), text("'me'"), text("1"), text("0")).select_from(tables.leases)
        assert insert_from_select(connection, tables.leases, names, other) == 1
        assert insert_from_select(connection, tables.leases, names, same, update=["epoch"]) == 2


def test_instants_come_back_to_the_microsecond_in_utc(store: Store) -> None:
    exact = datetime(2026, 3, 10, 9, 0, 0, 123_456, tzinfo=UTC)
    with store.writing() as connection:
        connection.execute(insert(tables.leases).values(LEASE | {"expires_at": exact}))
        assert connection.scalar(select(tables.leases.c.expires_at)) == exact
        later = tables.leases.c.expires_at > exact - timedelta(microseconds=1)
        assert connection.scalar(select(tables.leases.c.owner).where(later)) == "me"


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    naive = LEASE | {"expires_at": datetime(2026, 3, 10, 9, 0)}  # noqa: DTZ001 - that is the point
    with pytest.raises(Exception, match="no time zone"), store.writing() as connection:
        connection.execute(insert(tables.leases).values(naive))


def test_both_databases_hash_an_address_alike(store: Store) -> None:
    with store.reading() as connection:
        found = connection.scalar(select(address_hash(text("'zoë@example.com'"))))
    assert found == sha256("zoë@example.com".encode()).hexdigest()


def test_the_database_tells_the_time(store: Store) -> None:
    with store.reading() as connection:
        assert abs(database_now(connection) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("nonsense", SettingsError),
        ("sqlite://", SettingsError),
        ("postgresql://h:abc/x", SettingsError),
        ("oracle://somewhere/shop", SettingsError),
        ("postgresql://nobody@127.0.0.1:1/none", StoreUnreachable),
        ("sqlite:///no/such/folder/shop.db", StoreUnreachable),
    ],
)
def test_an_address_that_leads_nowhere(tmp_path: Path, url: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ensure_current(Store(url, folder=tmp_path))


def test_a_database_held_by_another(tmp_path: Path) -> None:
    store = Store("sqlite:///shop.db", folder=tmp_path, busy=20)
    ensure_current(store)
    other = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked), store.writing():
        pass
    other.close()
    store.close()


def test_who_cannot_wait_is_told_at_once_whoever_writes(tmp_path: Path) -> None:
    store = Store("sqlite:///shop.db", folder=tmp_path)
    ensure_current(store)

    def asks() -> None:
        with pytest.raises(StoreLocked), store.writing(within=0):
            pass
        asked.append("told")

    asked: list[str] = []
    with store.writing():  # a thread of this process
        thread = Thread(target=asks)
        thread.start()
        thread.join()
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asks()
    with store.writing(within=0):
        pass
    assert asked == ["told", "told"]
    store.close()


def test_a_disk_without_room(tmp_path: Path) -> None:
    store = Store("sqlite:///shop.db", folder=tmp_path)
    with pytest.raises(StoreError, match="the disk of the database is full"), store.writing() as connection:
        connection.execute(text("CREATE TABLE large (x)"))
        connection.execute(text("PRAGMA max_page_count = 3"))
        connection.execute(text("INSERT INTO large SELECT zeroblob(100000)"))
    store.close()


def test_a_database_that_may_only_be_read(store: Store) -> None:
    """As root every file may be written, so the database itself is told to refuse."""
    refuse = "PRAGMA query_only = 1" if store.engine.dialect.name == "sqlite" else "SET TRANSACTION READ ONLY"
    with pytest.raises(StoreReadOnly), translated_errors(), store.engine.connect() as connection:
        connection.execute(text(refuse))
        connection.execute(insert(tables.leases).values(LEASE))


def test_a_database_whose_file_is_gone_takes_and_tells_nothing_more(tmp_path: Path) -> None:
    """What is open still could; it would be lost."""
    store = Store("sqlite:///shop.db", folder=tmp_path)
    ensure_current(store)
    (tmp_path / "shop.db").unlink()
    for use in (store.reading, store.writing):
        with pytest.raises(StoreUnreachable, match=r"shop\.db is gone"), use():
            pass
    assert not (tmp_path / "shop.db").exists(), "none is made in its place"
    store.close()


def test_a_database_whose_file_was_exchanged_is_not_used(tmp_path: Path) -> None:
    """Neither the old one, which nobody finds again, nor the new one with the other's log beside it."""
    stores = [Store(f"sqlite:///{name}.db", folder=tmp_path) for name in ("shop", "restored")]
    for each in stores:
        ensure_current(each)
    (tmp_path / "restored.db").rename(tmp_path / "shop.db")
    for use in (stores[0].reading, stores[0].writing):
        with pytest.raises(NotAdopted, match="was exchanged for another while it was open"), use():
            pass
    for each in stores:
        each.close()
