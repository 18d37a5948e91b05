"""Whatever crashes, wherever: after the next run each mail is one file, and the outbox says so."""

import json
import shutil
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as some

from engine.delivery.deliver import Delivered
from engine.rendering.eml import to_bytes
from engine.rendering.mail import MailOrder
from engine.store.connect import Store
from tests.delivery.fate import Death, Fate, Mortal, MortalStore, mortal_file_system
from tests.delivery.post_office import (
    NOW,
    PlainStudio,
    empty,
    files,
    folder_transport,
    key,
    let_leases_run_out,
    mail_for,
    plan_mails,
    row,
    run,
    statuses,
)

CUSTOMERS = (1, 2, 3)
ALL_THERE = sorted(f"{key(i).message_id}.eml" for i in CUSTOMERS)


def start(store: Store, folder: Path) -> None:
    empty(store)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    plan_mails(store, *CUSTOMERS)


def live_until(store: Store, folder: Path, deadly: int | None, owner: str) -> list[str] | None:
    """One run that dies at that step. Returns its steps where it lived to the end, else None."""
    fate = Fate(deadly)
    transport = Mortal(folder_transport(folder), fate, "send", "flush", "look_up")
    studio = Mortal(PlainStudio(), fate, "compose")
    try:
        with mortal_file_system(fate):
            run(MortalStore(store, fate), transport, studio=studio, owner=owner, batch=2)
    except Death:
        return None
    return fate.trail


def recover(store: Store, folder: Path) -> Delivered:
    let_leases_run_out(store)
    return run(store, folder_transport(folder), owner="the next", batch=2)


def assert_each_left_once(store: Store, folder: Path) -> None:
    assert [name for name in files(folder) if name.endswith(".eml")] == ALL_THERE
    assert statuses(store) == {"accepted": len(CUSTOMERS)}
    for customer_id in CUSTOMERS:
        mail = row(store, customer_id)
        written = mail_for(MailOrder(key(customer_id), NOW))
        (file,) = folder.rglob(f"{mail.message_id}.eml")
        assert file.read_bytes() == to_bytes(written)
        assert json.loads(mail.evidence) == list(written.evidence)
        assert (mail.address, mail.settled_at, mail.lease_until) == (written.to_address, NOW, None)


def test_every_step_may_be_the_last(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    deadly = 0
    while True:
        start(store, folder)
        trail = live_until(store, folder, deadly, "the first")
        recover(store, folder)
        assert_each_left_once(store, folder)
        if trail is not None:
            break
        deadly += 1
    assert len(trail) == deadly > 60
    assert {
        "before commit",
        "after commit",
        "after compose",
        "after send",
        "after link",
        "after flush",
    } <= set(trail)


def test_every_step_of_the_recovery_may_be_the_last_too(store: Store, tmp_path: Path) -> None:
    """The first run dies right after a mail has left and before it can say so; then so does the next."""
    folder = tmp_path / "shop"
    start(store, folder)
    whole = live_until(store, folder, None, "the first")
    assert whole is not None
    left = whole.index("after link") + 1
    deadly, trail = 0, None
    while trail is None:
        start(store, folder)
        assert live_until(store, folder, left, "the first") is None
        let_leases_run_out(store)
        trail = live_until(store, folder, deadly, "the second")
        recover(store, folder)
        assert_each_left_once(store, folder)
        deadly += 1
    assert "after look_up" in trail


@given(
    deaths=some.lists(some.tuples(some.integers(0, 120), some.booleans()), max_size=5),
)
@with_settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_any_row_of_deaths_ends_well(store: Store, tmp_path: Path, deaths: list[tuple[int, bool]]) -> None:
    """Each next run comes either while the last one's leases still run, or after."""
    folder = tmp_path / "shop"
    start(store, folder)
    for number, (deadly, after_the_lease) in enumerate(deaths):
        live_until(store, folder, deadly, f"run {number}")
        if after_the_lease:
            let_leases_run_out(store)
    recover(store, folder)
    assert_each_left_once(store, folder)


def test_a_run_right_after_a_crash_waits_for_the_lease_and_then_finishes(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    start(store, folder)
    whole = live_until(store, folder, None, "the first")
    assert whole is not None
    start(store, folder)
    live_until(store, folder, whole.index("after link") + 1, "the first")
    assert statuses(store) == {"sending": 2, "scheduled": 1}
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        let_leases_run_out(store)

    delivered = run(store, folder_transport(folder), wait=wait, batch=2)
    assert delivered == Delivered(accepted=2, found=1)
    assert waited == [1.0]
    assert_each_left_once(store, folder)
