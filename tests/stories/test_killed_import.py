"""One import killed with -9 at any chunk and run again ends as if never killed; two at once as one after the other."""

import csv
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy import select

from engine.app.importing import import_into
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.migrate import ensure_current
from engine.store.tables import metadata, order_lines, orders
from engine.trials.demo_shop import write_demo_shop
from engine.trials.starter import copy_starter
from tests.conftest import NOW

# A process that imports in small chunks, and kills itself with -9 when it tells of the n-th; 0 = never.
IMPORT = dedent("""
    import os, signal, sys
    from datetime import datetime
    from pathlib import Path
    from engine.app.importing import import_into
    from engine.app.project import Project
    from engine.facts import importing
    importing.CHUNK = importing.TELL_EVERY = 200
    left = int(sys.argv[3])
    def die_in_time(_):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    project = Project(Path(sys.argv[1]))
    files = [Path(file) for file in sys.argv[4:]]
    import_into(project, files, now=datetime.fromisoformat(sys.argv[2]), progress=die_in_time)
""")
KINDS = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
SKIPPED = {"customer_id", "recorded_at", "lot", "change_id", "merged_into"}


def start(shop: Path, files: list[Path], die_at: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", IMPORT, str(shop), NOW.isoformat(), str(die_at)]
    return subprocess.Popen([*command, *map(str, files)], text=True)


def meaning(store: Store) -> Mapping[str, list[Any]]:
    """Everything stored, with people by their names instead of ids; the queue as who is in it."""
    with store.reading() as connection:
        names: dict[int, list[str]] = {}
        identities = metadata.tables["identities"].c
        for value, customer in connection.execute(select(identities.value, identities.customer_id)):
            names.setdefault(customer, []).append(value)
        told = {customer: "/".join(sorted(theirs)) for customer, theirs in names.items()}
        found: dict[str, list[Any]] = {}
        for table in metadata.tables.values():
            columns = [column for column in table.columns if column.name not in SKIPPED]
            who = [column for column in table.columns if column.name == "customer_id"]
            rows = connection.execute(select(*who, *columns))
            said = [(told.get(row[0], "?"), *row[1:]) if who else tuple(row) for row in rows]
            found[table.name] = sorted(set(said) if table.name == "changes" else said, key=repr)
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Facts of every kind: the demonstration's, and others that merge, refund and subscribe."""
    write_demo_shop(tmp_path / "data", seed=3, customers=400, now=NOW)
    folder = tmp_path / "data"
    write = _writer(folder)
    people = [f"p{number}@example.com" for number in range(150)]
    at = "2026-01-05T00:00Z"
    write(
        "anonymous.csv",
        "anonymous_id,sku,unit,kind,at",
        [f"a{n},guide,u{n % 7},started,{at}" for n in range(300)],
    )
    write(
        "links.csv", "anonymous_id,email,granted,at", [f"a{n},{people[n % 150]},yes,{at}" for n in range(300)]
    )
    write("rates.csv", "currency,day,rate", [f"EUR,2026-01-{day:02},1.{day:02}" for day in range(1, 29)])
    write(
        "orders2.csv",
        "order_id,email,at,sku,amount,currency",
        [f"x{n // 2},{people[n // 2 % 150]},{at},s{n % 5},{n % 9 + 1},EUR" for n in range(700)],
    )
    write(
        "refunds.csv",
        "refund_id,order_id,at,amount",
        [f"r{n},x{n},2026-01-09T00:00Z,1" for n in range(0, 350, 3)],
    )
    write(
        "subscriptions.csv",
        "email,subscription_id,sku,status,at,ends_at",
        [f"{people[n % 150]},s{n % 150},club,active,2026-01-{1 + n % 28:02}T00:00Z,2026-02-{1 + n % 20:02}T00:00Z" for n in range(450)],
    )  # fmt: skip
    return sorted(folder.glob("*.csv"))


def _writer(folder: Path) -> Callable[[str, str, list[str]], None]:
    def write(name: str, head: str, rows: list[str]) -> None:
        (folder / name).write_text("\n".join([head, *rows]) + "\n")

    return write


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    copy_starter(tmp_path / "shop", now=NOW)
    return tmp_path / "shop"


def opened(url: str) -> Store:
    store = Store(url)
    ensure_current(store)
    return store


def undisturbed(
    shop: Path, files: list[Path], url: str, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, list[Any]]:
    """What is stored after one import, in a database of its own."""
    monkeypatch.setenv("AFTERSALE_DATABASE", url)
    project = Project(shop, VirtualClock(NOW))
    import_into(project, files, now=NOW, ids=IdFactory(VirtualClock(NOW), seed=5))
    found = meaning(project.store)
    project.close()
    return found


@KINDS
def test_killed_at_any_chunk_and_run_again(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shop: Path, files: list[Path], kind: str
) -> None:  # fmt: skip
    expected = undisturbed(shop, files, f"sqlite:///{tmp_path}/undisturbed.db", monkeypatch)
    url = request.getfixturevalue(f"{kind}_url")
    monkeypatch.setenv("AFTERSALE_DATABASE", url)
    chance, killed = random.Random(kind), 0
    for _ in range(6):
        with start(shop, files, chance.randint(3, 45)) as process:
            killed += process.wait() == -signal.SIGKILL
    with start(shop, files) as process:
        assert process.wait() == 0
    assert killed == 6
    store = opened(url)
    found = meaning(store)
    store.close()
    for table, rows in expected.items():
        assert found[table] == rows, table


@KINDS
def test_two_at_once_end_as_one_after_the_other(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shop: Path, files: list[Path], kind: str
) -> None:  # fmt: skip
    expected = undisturbed(shop, files, f"sqlite:///{tmp_path}/undisturbed.db", monkeypatch)
    url = request.getfixturevalue(f"{kind}_url")
    monkeypatch.setenv("AFTERSALE_DATABASE", url)
    opened(url).close()
    with start(shop, files) as one, start(shop, files[::-1]) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    store = opened(url)
    found = meaning(store)
    store.close()
    for table, rows in expected.items():
        assert found[table] == rows, table


@KINDS
def test_another_reader_sees_whole_orders_only(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, shop: Path, tmp_path: Path, kind: str
) -> None:
    """What a tick of the daemon would read while an import runs: an order with all its lines, or not at all."""
    rows = [
        (f"{n % 900}", f"p{n % 50}@example.com", "2026-01-05T00:00Z", f"s{n}", "1.00") for n in range(3600)
    ]
    file = tmp_path / "orders.csv"
    with file.open("w", newline="") as target:
        csv.writer(target).writerows([("order_id", "email", "at", "sku", "amount"), *rows])
    url = request.getfixturevalue(f"{kind}_url")
    monkeypatch.setenv("AFTERSALE_DATABASE", url)
    store, seen = opened(url), set()
    with start(shop, [file]) as process:
        while process.poll() is None:
            seen.add(_whole(store))
    seen.add(_whole(store))
    store.close()
    assert max(seen) == 900


def _whole(store: Store) -> int:
    """How many orders there are; each has its four lines, and they make its amount."""
    with store.reading() as connection:
        amounts = dict(connection.execute(select(orders.c.order_ref, orders.c.amount)).all())
        lines: dict[str, list[int]] = {}
        for ref, amount in connection.execute(select(order_lines.c.order_ref, order_lines.c.amount)):
            lines.setdefault(ref, []).append(amount)
    assert {ref: (len(each), sum(each)) for ref, each in lines.items()} == {
        ref: (4, amount) for ref, amount in amounts.items()
    }
    return len(amounts)
