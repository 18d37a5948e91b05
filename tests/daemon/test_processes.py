"""Real daemons: killed at any moment, two at once, frozen and thawed, told to stop under load."""

import json
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from engine.app.previewing import previewing
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.rendering.eml import to_bytes
from engine.store.tables import customers, messages
from tests.daemon.conftest import Shops
from tests.daemon.process import daemon, set_clock, wait_until


def planned(project: Project) -> dict[str, bytes]:
    """What a plan at this instant would send, as it would leave."""
    with previewing(project, project.clock.now()) as preview:
        return {mail.message_id: to_bytes(mail) for mail in preview.mails()}


def left(project: Project) -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in (project.folder / "outbox").rglob("*.eml")}


def states(project: Project) -> Counter[str]:
    with project.store.reading() as connection:
        found = Counter(connection.scalars(select(messages.c.status)))
    del found["held_out"]
    return found


def assert_each_left_once(project: Project, expected: dict[str, bytes]) -> None:
    assert left(project) == expected
    assert states(project) == {"accepted": len(expected)}


def all_left(project: Project, expected: dict[str, bytes]) -> bool:
    return states(project) == {"accepted": len(expected)}


def move(project: Project, clock: VirtualClock, by: timedelta) -> datetime:
    """The clock of this process, and that of the daemons."""
    now = clock.advance(by)
    set_clock(project.folder, now)
    return now


def test_killed_at_random_they_neither_double_nor_forget(
    database: str, new_shop: Shops, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First one by one, then the one of two: it may lead or stand by."""
    monkeypatch.setenv("AFTERSALE_DELIVERY__BATCH", "10")
    monkeypatch.setenv("AFTERSALE_RUN__LEAD", "1s")
    project, chance = new_shop(500), random.Random(f"{database}/3")
    expected: dict[str, bytes] = {}
    for days in (0, 4):
        move(project, clock, timedelta(days=days))
        expected |= planned(project)
        for _ in range(2):
            with daemon(project.folder, deadly=chance.randint(1, 12)) as one:
                assert one.ended() == -signal.SIGKILL
        with daemon(project.folder, deadly=chance.randint(1, 12)) as one, daemon(project.folder) as two:
            wait_until(partial(all_left, project, expected), two)
            one.process.kill()
            assert two.stop() == 0
        assert_each_left_once(project, expected)


def test_two_by_mistake_share_the_mails_and_one_of_them_plans(
    database: str, new_shop: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_RUN__LEAD", "6s")
    project = new_shop(300)
    expected = planned(project)
    with daemon(project.folder) as one:
        one.wait_for("leads")
        with daemon(project.folder) as two:
            two.wait_for("stands by")
            wait_until(partial(all_left, project, expected), one)
            assert (one.stop(), two.wait_for("leads")["epoch"], two.stop()) == (0, 2, 0)
    assert_each_left_once(project, expected)
    assert_nobody_is_named(project, json.dumps([one.listen(), two.listen()]))


def assert_nobody_is_named(project: Project, log: str) -> None:
    """No address, and no name of anybody."""
    with project.store.reading() as connection:
        rows = connection.execute(select(customers.c.email, customers.c.first_name, customers.c.last_name))
        known = {value for row in rows for value in row if value}
    assert len(known) > 300
    assert not [value for value in known if re.search(rf"\b{re.escape(value)}\b", log, re.IGNORECASE)]


def test_as_it_is_typed_it_runs_until_it_is_told_to_stop(new_shop: Shops) -> None:
    """Its clock is the real one, so that something is due is no matter here."""
    folder = new_shop(20).folder
    command = [sys.executable, "-W", "ignore", "-c", "from engine.cli import main; main()", "run"]
    with subprocess.Popen([*command, "--project", folder], stderr=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stderr if " leads " in line)
        assert re.fullmatch(r"2\d{3}-\S+Z info leads epoch=1\n", line)
        process.send_signal(signal.SIGINT)
        assert [line.split()[2] for line in process.stderr][-1] == "stopped"
        assert process.wait() == 0


def test_a_leader_that_was_frozen_finds_out_that_another_one_leads(
    database: str, new_shop: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite it must not be frozen while it writes: the file is locked until it dies or wakes."""
    monkeypatch.setenv("AFTERSALE_RUN__LEAD", "3s")
    project = new_shop(100)
    with daemon(project.folder) as one:
        one.wait_for("planned")
        with daemon(project.folder) as two:
            two.wait_for("stands by")
            with project.store.writing():  # nobody else writes at this moment
                one.signal(signal.SIGSTOP)
            assert two.wait_for("leads")["epoch"] == 2
            two.wait_for("planned")
            one.signal(signal.SIGCONT)
            assert one.wait_for("stands by")["leader"] == two.said[0]["owner"]
            assert (one.stop(), two.stop()) == (0, 0)


def test_told_to_stop_under_load_it_gives_back_what_it_holds(
    database: str, new_shop: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of its batch is scheduled again, and leaves with the next one."""
    monkeypatch.setenv("AFTERSALE_RUN__STOP_WITHIN", "20s")
    project = new_shop(700)
    expected = planned(project)
    with daemon(project.folder) as one:
        wait_until(lambda: bool(left(project)), one)
        assert one.stop() == 0
        said = [line["event"] for line in one.listen()]
    assert said[-1] == "stopped"
    assert set(states(project)) <= {"accepted", "scheduled"}
    assert states(project).total() == len(expected)
    with daemon(project.folder) as another:
        another.wait_for("leads", epoch=2)
        wait_until(partial(all_left, project, expected), another)
        assert another.stop() == 0
    assert_each_left_once(project, expected)
