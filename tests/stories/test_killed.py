"""Invariants 1 and 2: a run killed with -9 at any moment, and started again, neither doubles nor forgets."""

import random
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy import select

from engine.app.importing import import_into
from engine.app.previewing import previewing
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.rendering.eml import to_bytes
from engine.store.tables import enrollments, messages
from engine.trials.demo_shop import FILES, write_demo_shop
from engine.trials.starter import copy_starter
from tests.conftest import NOW

# A process that kills itself with -9 at the n-th name it gives to a mail or takes from a hidden file.
RUN = dedent("""
    import os, signal, sys
    from datetime import datetime
    from pathlib import Path
    from engine.app.project import Project
    from engine.app.running import run_once
    from engine.clock import VirtualClock
    left = int(sys.argv[3])
    def die_in_time(event, _):
        global left
        if event in ("os.link", "os.remove"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    now = datetime.fromisoformat(sys.argv[2])
    project = Project(Path(sys.argv[1]), VirtualClock(now))
    sys.addaudithook(die_in_time)
    print("ready", flush=True)
    run_once(project, now, progress=lambda _: None)
    print("done", flush=True)
""")


def start(shop: Path, now: Any, names: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(shop), now.isoformat(), str(names)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_among_mails(shop: Path, now: Any, names: int) -> None:
    """A run that dies between two of its mails, or within one: before or after it has its name."""
    with start(shop, now, names) as process:
        assert process.wait() == -signal.SIGKILL, "it came to its end before"


def kill_at_some_time(shop: Path, now: Any, seconds: float) -> None:
    """Start a run, and kill it so many seconds after it came to life: while it reads, plans or writes."""
    with start(shop, now) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()


def sent(shop: Path) -> dict[str, Path]:
    return {path.stem: path for path in (shop / "outbox" / "mails").rglob("*.eml")}


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_killed_at_random(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    shop, clock = tmp_path / "shop", VirtualClock(NOW)
    monkeypatch.setenv("AFTERSALE_DATABASE", request.getfixturevalue(f"{kind}_url"))
    monkeypatch.setenv("AFTERSALE_DELIVERY__LEASE", "1s")
    monkeypatch.setenv("AFTERSALE_DELIVERY__BATCH", "10")
    copy_starter(shop, now=NOW)
    write_demo_shop(shop / "data", seed=3, customers=700, now=NOW)
    project = Project(shop, clock)
    import_into(project, [shop / "data" / name for name in FILES], now=NOW)
    chance = random.Random(f"{kind}/1")
    expected: dict[str, bytes] = {}
    for _ in range(2):
        now = clock.now()
        with previewing(project, now) as preview:
            expected |= {mail.message_id: to_bytes(mail) for mail in preview.mails()}
        for _ in range(3):
            kill_among_mails(shop, now, chance.randint(1, 15))
        kill_at_some_time(shop, now, chance.uniform(0, 1))
        with start(shop, now) as last:
            assert last.wait() == 0
        clock.advance(timedelta(days=4))
    _check(shop, project, expected)
    project.close()


def _check(shop: Path, project: Project, expected: dict[str, bytes]) -> None:
    outbox = shop / "outbox" / "mails"
    assert {name: path.read_bytes() for name, path in sent(shop).items()} == expected
    assert [path for path in outbox.rglob("*") if path.is_file() and path.suffix != ".eml"] == []
    with project.store.reading() as connection:
        rows = list(connection.execute(select(messages.c.status, messages.c.message_id)))
        spells = list(connection.execute(select(enrollments.c.customer_id, enrollments.c.campaign_id)))
    assert {status for status, _ in rows} <= {"accepted", "held_out"}
    assert {message_id for status, message_id in rows if status == "accepted"} == set(expected)
    assert len(spells) == len(set(spells)), "nobody was enrolled twice"
