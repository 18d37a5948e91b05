"""`aftersale doctor`: what is not as it should be, and which query lacks which index."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, exists, text, update

from engine.app import slowness
from engine.app.failures import Failure, keep
from engine.app.presence import show
from engine.clock import VirtualClock
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.spool import Spool
from engine.rules.conditions.last_order import LastOrder
from engine.store.connect import Store
from engine.store.tables import customers, messages, orders
from tests.conftest import NOW
from tests.stories.conftest import Aftersale

HOUR = timedelta(hours=1)


@pytest.fixture
def database(shop: Path) -> Iterator[Store]:
    store = Store("sqlite:///aftersale.db")
    yield store
    store.close()


def told(aftersale: Aftersale, about: str, *words: str) -> Any:
    """What is found about one thing, and the exit code."""
    said = aftersale("doctor", "--json", *words)
    [finding] = [each for each in said.json["findings"] if each["about"] == about]
    assert said.code == (0 if said.json["sound"] else 1)
    return finding


def test_all_is_well(aftersale: Aftersale, shop: Path) -> None:
    said = aftersale("doctor")
    assert (said.code, "✗" in said.out) == (0, False)
    assert "✓ campaigns: 7 sound campaigns, 8 segments" in said.out
    assert "✓ indexes: all are there" in said.out
    assert "✓ last run: there was none yet" in said.out
    assert "of 300 people, to be judged at the next run" in said.out


def test_after_a_run(aftersale: Aftersale, shop: Path) -> None:
    aftersale("run", "--once")
    assert told(aftersale, "last run")["said"] == "2026-03-10 09:00Z"
    assert told(aftersale, "outbox")["said"] == "0 waiting, 0 on their way"


def test_a_campaign_with_a_mistake(aftersale: Aftersale, shop: Path) -> None:
    with Path("campaigns/win-back.yaml").open("a") as file:
        file.write("bogus: 1\n")
    assert told(aftersale, "campaigns") == {
        "about": "campaigns",
        "said": "1 problem, 6 sound campaigns",
        "sound": False,
        "hint": "see aftersale check",
    }


def test_mails_that_a_dead_run_left(
    aftersale: Aftersale, shop: Path, database: Store, clock: VirtualClock
) -> None:
    aftersale("run", "--once")
    with database.writing() as connection:
        died = {"status": "sending", "lease_until": clock.now() - timedelta(days=900)}
        connection.execute(update(messages).where(messages.c.status == "accepted").values(died))
        connection.execute(
            update(messages).where(messages.c.campaign_id == "win-back").values(status="unknown")
        )
        left = connection.scalar(text("SELECT count(*) FROM messages WHERE status = 'sending'"))
        unknown = connection.scalar(text("SELECT count(*) FROM messages WHERE status = 'unknown'"))
    found = told(aftersale, "outbox")
    assert (found["sound"], left > 0, unknown > 0) == (False, True, True)
    assert f"of these {left} left by a run that died; {unknown} of unknown fate" in found["said"]
    with database.writing() as connection:
        connection.execute(delete(messages))
    assert told(aftersale, "outbox")["sound"]


def test_a_clock_that_went_back(aftersale: Aftersale, shop: Path, clock: VirtualClock) -> None:
    aftersale("run", "--once")
    clock.advance(-timedelta(days=1))
    assert told(aftersale, "last run")["said"] == "2026-03-10 09:00Z, which is later than now"


def test_a_way_out_that_cannot_send(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert aftersale("init", "new").code == 0
    monkeypatch.chdir("new")
    monkeypatch.setenv("AFTERSALE_DELIVERY__TRANSPORT", "sendgrid")
    assert told(aftersale, "way out") == {
        "about": "way out",
        "said": "SendGrid needs an API key",
        "sound": False,
        "hint": "set AFTERSALE_SECRETS__SENDGRID_KEY in the environment",
    }
    monkeypatch.setenv("AFTERSALE_SECRETS__SENDGRID_KEY", "SG.something")
    monkeypatch.setenv("AFTERSALE_SENDGRID__SANDBOX", "true")
    assert told(aftersale, "way out")["said"] == "the sandbox of SendGrid: no mail arrives anywhere"


def test_a_folder_for_mails_that_cannot_be_written(aftersale: Aftersale, shop: Path) -> None:
    """Every command that speaks of mails tells it."""
    aftersale("run", "--once")
    clean = [aftersale("status", "--json"), aftersale("outbox", "--json"), aftersale("doctor", "--json")]
    assert [said.json.get("not_sending") for said in clean] == [None, None, None]
    Path("outbox").rename("elsewhere")
    Path("outbox").touch()
    assert told(aftersale, "way out") == {
        "about": "way out",
        "said": "outbox cannot be written: Not a directory",
        "sound": False,
        "hint": "check delivery.folder in config.yaml",
    }
    want = "NOT SENDING: outbox cannot be written: Not a directory (check delivery.folder in config.yaml)"
    assert want in aftersale("status").out
    assert want in aftersale("outbox").out
    someone = str(aftersale("outbox", "--json").json["mails"][0]["customer_id"])
    assert want in aftersale("explain", someone).out
    assert want.endswith(aftersale("outbox", "--json").json["not_sending"])


@pytest.mark.parametrize("over", [False, True])
def test_a_job_of_the_daemon_that_failed(
    aftersale: Aftersale, shop: Path, database: Store, clock: VirtualClock, over: bool
) -> None:
    """Told while it goes on, and for a day; `status` and `doctor` ask from another process."""
    since, until = clock.now(), clock.now() + HOUR / 2
    with database.writing() as connection:
        show(connection, "shop1:7:abc", HOUR)
        keep(connection, Failure("shop1:7:abc", "deliver", since, until if over else None, "no room"), since)
    clock.advance(HOUR)
    finding = told(aftersale, "failed")
    ends = (
        "failed from 2026-03-10 09:00Z to 2026-03-10 09:30Z" if over else "has failed since 2026-03-10 09:00Z"
    )
    assert (finding["said"], finding["sound"]) == (f"job deliver on shop1 {ends}: no room", over)
    assert finding["said"] in aftersale("status").out
    [failure] = aftersale("status", "--json").json["failures"]
    assert (failure["job"], failure["error"], failure["goes_on"]) == ("deliver", "no room", not over)
    clock.advance(24 * HOUR)
    assert bool(aftersale("status", "--json").json["failures"]) is not over


def test_a_disk_without_room(aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(free=0)
    monkeypatch.setattr("engine.delivery.transports.folder.disk_usage", lambda _: full)
    found = told(aftersale, "way out")
    assert (found["said"][:16], found["sound"]) == ("the disk is full", False)
    monkeypatch.setattr("engine.app.doctoring.disk_usage", lambda _: full)
    assert told(aftersale, "disk")["said"] == "0 MB are left where the database lies"


def test_mails_that_could_have_left_long_ago(
    aftersale: Aftersale, shop: Path, database: Store, clock: VirtualClock
) -> None:
    aftersale("run", "--once")
    with database.writing() as connection:
        waiting = {"status": "scheduled", "settled_at": None}
        connection.execute(update(messages).where(messages.c.status == "accepted").values(waiting))
    found = {each["about"] for each in aftersale("doctor", "--json").json["findings"]}
    assert "overdue" not in found
    clock.advance(2 * HOUR)
    overdue = told(aftersale, "overdue")
    assert not overdue["sound"]
    assert overdue["said"].endswith("could have left more than 1h ago, and none leaves")
    aftersale("pause")
    found = {each["about"] for each in aftersale("doctor", "--json").json["findings"]}
    assert "overdue" not in found


def test_mails_that_nobody_takes(
    aftersale: Aftersale, shop: Path, database: Store, clock: VirtualClock
) -> None:
    """They are told while there is time to mend what they lack, and begin anew when a person says so."""
    aftersale("run", "--once")
    said = "550 5.7.1 not from you"
    with database.writing() as connection:
        waits = {"status": "scheduled", "settled_at": None, "in_vain_since": clock.now(), "error": said}
        connection.execute(update(messages).where(messages.c.status == "accepted").values(waits))
    assert aftersale("status", "--json").json["in_vain"] is None, "it may pass"
    since = f"{clock.now():%Y-%m-%d %H:%M}Z"
    clock.advance(2 * HOUR)
    told_of = aftersale("status", "--json").json["in_vain"]
    assert (told_of["said"], told_of["mails"] > 1) == (said, True)
    number = told_of["mails"]
    assert f"tried in vain since {since}: {number} mails; {said}" in aftersale("status").out
    want = (
        f"{number} mails tried again and again, the first since {since}, and rejected 3d after that: {said}"
    )
    assert (told(aftersale, "in vain")["said"], told(aftersale, "in vain")["sound"]) == (want, False)
    mail = aftersale("outbox", "--status", "scheduled", "--json").json["mails"][0]["message_id"]
    with database.writing() as connection:
        connection.execute(update(messages).where(messages.c.message_id == mail).values(status="rejected"))
    aftersale("outbox", "retry", mail, "--yes")
    assert aftersale("status", "--json").json["in_vain"]["mails"] == number - 1


def test_a_database_that_has_sent_and_is_gone(aftersale: Aftersale, shop: Path) -> None:
    """Nobody says that an import makes it, and nothing is made in its place."""
    aftersale("run", "--once")
    for file in Path().glob("aftersale.db*"):
        file.unlink()
    want = "the database aftersale.db is gone; .aftersale/generation.json tells that it has sent mail"
    found = told(aftersale, "database")
    assert (found["sound"], found["said"]) == (False, want)
    assert found["hint"].startswith("restore it from a backup, then take it over with: aftersale adopt")
    for command, code in ((["status"], 21), (["outbox"], 21), (["run", "--once"], 17), (["run"], 17)):
        said = aftersale(*command)
        assert (said.code, want in said.err) == (code, True), command
    assert not Path("aftersale.db").exists()


def test_no_database_yet(aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    aftersale("init", "fresh")
    monkeypatch.chdir(tmp_path / "fresh")
    assert told(aftersale, "database", "--slow")["hint"] == "the first import makes it"
    assert not Path("aftersale.db").exists()


def test_a_database_at_another_version(aftersale: Aftersale, shop: Path, database: Store) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    found = told(aftersale, "database", "--slow")
    assert (found["sound"], "stand at 0001, this version needs" in found["said"]) == (False, True)


# ── --slow ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table counts as a large one."""
    monkeypatch.setattr(slowness, "MANY", 0)


def test_every_rule_is_timed_and_counts_as_segment_does(
    strict: None, aftersale: Aftersale, shop: Path
) -> None:
    said = aftersale("doctor", "--slow", "--json")
    rules = {rule["rule"]: rule for rule in said.json["rules"]}
    assert (said.code, said.json["scans"], len(rules)) == (0, [], 7 + 8)
    assert (
        rules["win-back"]["people"] == aftersale("segment", "--campaign", "win-back", "--json").json["count"]
    )
    assert rules["segment lapsed"]["people"] == aftersale("segment", "lapsed", "--json").json["count"]
    assert all(rule["seconds"] >= 0 and rule["plan"] for rule in rules.values())
    assert "No query of a run reads a large table from end to end" in aftersale("doctor", "--slow").out


# the index that is dropped, whom its table is then read for, and a column that is compared
DROPPED = {
    "ix_orders_by_refund": (slowness.BY_TIME, "refunded_at"),
    "ix_orders_by_time": (slowness.BY_TIME, "at"),
    "ix_consumption_by_product": (slowness.BY_TIME, "sku"),
    "ix_refunds_by_time": (slowness.BY_TIME, "at"),
    "ix_customers_known_at_customer_id": (slowness.BY_TIME, "known_at"),
}


@pytest.mark.parametrize("index", list(DROPPED))
def test_a_dropped_index_is_named(
    index: str, strict: None, aftersale: Aftersale, shop: Path, database: Store
) -> None:
    with database.writing() as connection:
        connection.execute(text(f"DROP INDEX {index}"))
    found = told(aftersale, "indexes")
    table = index.removeprefix("ix_").replace("_known_at", "_by_").split("_by_")[0]
    assert found["said"] == f"missing: {index} on {table}"
    said = aftersale("doctor", "--slow", "--json")
    asks, column = DROPPED[index]
    scans = [scan for scan in said.json["scans"] if index in scan["missing"]]
    assert (said.code, bool(scans)) == (1, True), said.out
    assert any(scan["asks"] == asks and column in scan["columns"] for scan in scans)
    assert all(f"CREATE INDEX {index} ON {table}" in scan["hint"] for scan in scans)
    remedy = found["hint"].removeprefix("make again: ")
    with database.writing() as connection:
        connection.execute(text(remedy))
    assert aftersale("doctor", "--slow").code == 0


def test_a_condition_that_does_not_look_people_up(
    strict: None, aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_source = exists().where(orders.c.source == customers.c.email)
    monkeypatch.setattr(LastOrder, "test", lambda _rule, _scope: by_source)
    [scan] = aftersale("doctor", "--slow", "--json").json["scans"]
    assert (scan["asks"], scan["table"], scan["columns"]) == (slowness.ONE_BY_ONE, "orders", ["source"])
    assert scan["rules"] == ["segment lapsed", "win-back"]
    assert (scan["missing"], "no index of orders is missing" in scan["hint"]) == ([], True)


def test_a_small_table_may_be_read_whole(aftersale: Aftersale, shop: Path, database: Store) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP INDEX ix_orders_by_refund"))
    said = aftersale("doctor", "--slow", "--json").json
    assert (said["sound"], said["scans"]) == (False, [])  # the index is missing, and nobody suffers yet


@pytest.fixture
def large_on_postgresql(
    monkeypatch: pytest.MonkeyPatch, postgres_url: str, tmp_path: Path
) -> Iterator[Store]:
    """12,000 customers with an order each, on PostgreSQL, where a query reads small tables whole for good."""
    monkeypatch.setenv("AFTERSALE_DATABASE", postgres_url)
    base = {"recorded_at": NOW, "currency": "USD", "digest": "", "paid": True, "amount": 700, "charged": 700}
    people = [
        {"customer_id": n, "lot": n, "known_at": NOW - n * HOUR, "recorded_at": NOW} for n in range(12_000)
    ]
    store = Store(postgres_url)
    with store.writing() as connection:
        connection.execute(customers.insert(), people)
        placed = ({"customer_id": n, "order_ref": str(n), "at": NOW - n * HOUR} for n in range(12_000))
        connection.execute(orders.insert(), [base | order for order in placed])
        connection.execute(text("ANALYZE"))
    yield store
    store.close()


@pytest.mark.postgres
def test_on_postgresql(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, large_on_postgresql: Store
) -> None:
    aftersale("init", "large")
    monkeypatch.chdir(tmp_path / "large")
    well = aftersale("doctor", "--slow", "--json").json
    assert (well["sound"], well["scans"]) == (True, [])
    assert well["findings"][2]["said"].startswith("PostgreSQL ")
    with large_on_postgresql.writing() as connection:
        connection.execute(text("DROP INDEX ix_orders_by_time"))
    said = aftersale("doctor", "--slow")
    assert (said.code, "missing: ix_orders_by_time on orders" in said.out) == (1, True)
    assert "orders is read from end to end for people whom the time may have changed, by at, paid" in said.out


def test_a_place_where_no_database_can_be(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aftersale("init", "fresh")
    monkeypatch.chdir(tmp_path / "fresh")
    for place, why in (("nope/x.db", "there is no folder nope"), ("campaigns", "campaigns is a folder")):
        monkeypatch.setenv("AFTERSALE_DATABASE", f"sqlite:///{place}")
        found = told(aftersale, "database")
        assert (found["said"], found["hint"]) == (
            f"there is none, and none can be made: {why}",
            "check `database:` in config.yaml",
        )


def test_a_database_from_a_newer_version(aftersale: Aftersale, light_shop: Path) -> None:
    with sqlite3.connect("aftersale.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    found = told(aftersale, "database")
    assert found["said"] == "the database is at '9999', which this version does not know"
    assert found["hint"] == "it was made by a newer version: upgrade aftersale"


@pytest.mark.parametrize(
    "url", ["nonsense", "", "sqlite:/x", "sqlite://", "postgresql://h:abc/x", "oracle://x/y"]
)
def test_a_url_that_is_none(aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    aftersale("init", "new")
    monkeypatch.chdir("new")
    monkeypatch.setenv("AFTERSALE_DATABASE", url)
    for command in ("check", "doctor", "preview"):
        said = aftersale(command)
        assert (said.code, said.err.splitlines()[0]) == (10, "error: the database URL cannot be used")


def test_what_was_told_and_nobody_brings_in(
    aftersale: Aftersale, light_shop: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    aftersale("run", "--once")
    spool = Spool(light_shop / ".aftersale")
    spool.events.put([Told("segment", each, clock.now(), "{}") for each in ("m1", "m2", "m2")])
    assert told(aftersale, "events")["said"] == "2 yet to be taken up, by the daemon or the next run"
    clock.advance(timedelta(minutes=10))
    assert told(aftersale, "spool") == {
        "about": "spool",
        "said": "since 2026-03-10 09:00Z nobody brings what was told into the database: 3 wait",
        "sound": False,
        "hint": "does a daemon or `serve` run? Its log tells what stands against it; `run --once` does it, too",
    }
    [file] = spool.events.files()
    file.write_bytes(file.read_bytes() + b"torn")
    said = aftersale("run", "--once")
    assert "1 torn lines of what was told are dropped: they were never acknowledged" in said.err
    assert "✗ spool" not in aftersale("doctor").out
    with monkeypatch.context() as patch:  # whose it is stands against nothing where root looks
        patch.setattr(os, "access", lambda path, _: "spool" not in str(path))
        assert told(aftersale, "spool")["said"] == ".aftersale/spool/events may not be written"
    shutil.rmtree(light_shop / ".aftersale/spool")
    (light_shop / ".aftersale/spool").write_text("")
    assert told(aftersale, "spool")["said"] == ".aftersale/spool/wishes cannot be read: Not a directory"
