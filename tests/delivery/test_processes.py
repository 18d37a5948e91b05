"""Real processes: killed at any moment, frozen and thawed, and two at once, on both databases."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.store.connect import Store
from tests.conftest import ROOT
from tests.delivery.post_office import (
    files,
    folder_transport,
    key,
    let_leases_run_out,
    plan_mails,
    row,
    run,
    statuses,
)

MAILS = range(1, 41)
NAMES = sorted(f"{key(i).message_id}.eml" for i in MAILS)
STEPS = 150  # about as many as one run takes


@contextmanager
def deliverer(store: Store, folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that delivers; the words are its owner's name, and the step at which it freezes."""
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.delivery.deliverer", url, str(folder), *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=ROOT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_frozen(process: subprocess.Popen[str]) -> None:
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)


def assert_each_left_once(store: Store, folder: Path) -> None:
    assert files(folder) == NAMES
    assert statuses(store) == {"accepted": len(MAILS)}


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_and_started_again_it_neither_doubles_nor_forgets(
    store: Store, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    plan_mails(store, *MAILS)
    for number in range(2):
        with deliverer(store, tmp_path / "shop", f"run {number}") as process:
            for _ in range(chance.randrange(STEPS)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        if chance.random() < 0.7:
            let_leases_run_out(store)
    run(store, folder_transport(tmp_path / "shop"), wait=lambda _: let_leases_run_out(store))
    assert_each_left_once(store, tmp_path / "shop")


@pytest.mark.parametrize("moment", ["after compose", "before send", "after send"])
def test_frozen_while_others_finish_and_then_thawed_it_changes_nothing(
    store: Store, tmp_path: Path, moment: str
) -> None:
    plan_mails(store, *MAILS)
    with deliverer(store, tmp_path / "shop", "frozen", moment) as process:
        wait_until_frozen(process)
        let_leases_run_out(store)
        run(store, folder_transport(tmp_path / "shop"), owner="awake")
        done = [row(store, i) for i in MAILS]
        process.send_signal(signal.SIGCONT)
        _, complaints = process.communicate()
    assert (process.returncode, complaints) == (0, "")
    assert [row(store, i) for i in MAILS] == done
    assert_each_left_once(store, tmp_path / "shop")


def test_two_at_once_share_the_work_and_double_nothing(store: Store, tmp_path: Path) -> None:
    plan_mails(store, *MAILS)
    shop, freeze = tmp_path / "shop", "after compose"
    with deliverer(store, shop, "ann", freeze) as ann, deliverer(store, shop, "bob", freeze) as bob:
        for process in (ann, bob):
            wait_until_frozen(process)
        for process in (ann, bob):
            process.send_signal(signal.SIGCONT)
        talks = [process.communicate() for process in (ann, bob)]
    assert [process.returncode for process in (ann, bob)] == [0, 0], talks
    assert {row(store, i).owner for i in MAILS} == {"ann", "bob"}
    assert_each_left_once(store, tmp_path / "shop")
    assert sum(talk.count("before send\n") for talk, _ in talks) == len(MAILS)
    assert {row(store, i).attempt for i in MAILS} == {1}


def test_a_run_beside_a_live_one_waits_and_ends_with_it(store: Store, tmp_path: Path) -> None:
    """The other one is alive but slow: it stands still until the run that waits begins to wait."""
    plan_mails(store, *MAILS)
    waits: list[float] = []
    with deliverer(store, tmp_path / "shop", "slow", "before send") as process:
        wait_until_frozen(process)

        def wait(seconds: float) -> None:
            waits.append(seconds)
            process.send_signal(signal.SIGCONT)
            process.communicate()

        delivered = run(store, folder_transport(tmp_path / "shop"), owner="patient", wait=wait)
    assert len(waits) == 1
    assert 0 < delivered.accepted < len(MAILS)
    assert delivered.under_way == 0
    assert_each_left_once(store, tmp_path / "shop")
