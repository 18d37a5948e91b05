"""Whatever crashes on the way to SendGrid: nothing twice, nothing lost, and in doubt only what was in the air."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.delivery.fate import Death, Fate, Mortal, MortalStore
from tests.delivery.post_office import (
    PlainStudio,
    empty,
    let_leases_run_out,
    plan_mails,
    row,
    run,
    statuses,
)
from tests.delivery.sendgrid_desk import close_all, transport
from tests.fake_sendgrid.hand import Hand, fake_sendgrid

CUSTOMERS = range(1, 6)
BATCH = 2


@contextmanager
def mortal_network(fate: Fate) -> Iterator[None]:
    """Each call to the provider may be the last: connecting, sending the head or the body, reading."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "endheaders", "send", "getresponse"):
            call = getattr(HTTPConnection, name)
            patch.setattr(HTTPConnection, name, fate.around(name, call))
        yield


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with fake_sendgrid(tmp_path_factory.mktemp("sendgrid") / "records.jsonl") as fake:
        yield fake


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    opened = Store(sqlite_url)
    ensure_current(opened)
    yield opened
    close_all()
    opened.close()


def live_until(store: Store, hand: Hand, deadly: int | None) -> list[str] | None:
    """One run that dies at that step. Returns its steps where it lived to the end, else None."""
    fate = Fate(deadly)
    try:
        with mortal_network(fate):
            studio = Mortal(PlainStudio(), fate, "compose")
            run(MortalStore(store, fate), transport(hand), studio=studio, owner="first", batch=BATCH)
    except Death:
        return None
    return fate.trail


def assert_nothing_doubled_or_lost(store: Store, hand: Hand, whose: Sequence[int] = CUSTOMERS) -> int:
    """Returns how many mails are in doubt."""
    there = hand.ids()
    assert set(there.values()) <= {1}
    found = statuses(store)
    assert found.keys() <= {"accepted", "unknown"}
    for number in whose:
        mail = row(store, number)
        assert mail.status == "unknown" or mail.message_id in there
    return found["unknown"]


def test_every_step_may_be_the_last(store: Store, hand: Hand) -> None:
    deadly, doubts, trail = 0, set(), None
    while trail is None:
        empty(store)
        whose = [100 * deadly + number for number in CUSTOMERS]  # a request of a dead one may still arrive
        plan_mails(store, *whose)
        trail = live_until(store, hand, deadly)
        close_all()
        let_leases_run_out(store)
        run(store, transport(hand), owner="the next", batch=BATCH)
        close_all()
        doubts.add(assert_nothing_doubled_or_lost(store, hand, whose))
        deadly += 1
    assert {"after connect", "after endheaders", "before getresponse", "after getresponse"} <= set(trail)
    assert doubts == {0, 1, BATCH}, "the last batch holds one"


def test_two_at_once_share_the_work_and_double_nothing(store: Store, hand: Hand, tmp_path: Path) -> None:
    """One is held up in the middle of its request, and the other works on."""
    hand.records.write_text("")
    plan_mails(store, *CUSTOMERS)
    first = transport(hand)
    post = first._wire.post

    def slow(body: bytes) -> object:
        if not hand.mails():
            run(store, transport(hand), owner="other", batch=BATCH)
            assert len(hand.mails()) == len(CUSTOMERS) - BATCH
        return post(body)

    first._wire.post = slow
    run(store, first, owner="first", batch=BATCH)
    assert assert_nothing_doubled_or_lost(store, hand) == 0
    assert {row(store, number).owner for number in CUSTOMERS} == {"first", "other"}


def test_one_that_was_frozen_until_its_lease_ran_out_changes_nothing(store: Store, hand: Hand) -> None:
    """Its request still goes through: that is why what it held is in doubt, and is not sent again."""
    hand.records.write_text("")
    plan_mails(store, *CUSTOMERS)
    frozen = transport(hand)
    post = frozen._wire.post

    def thawed(body: bytes) -> object:
        frozen._wire.post = post
        let_leases_run_out(store)
        run(store, transport(hand), owner="awake", batch=10)
        return post(body)

    frozen._wire.post = thawed
    run(store, frozen, owner="frozen", batch=BATCH)
    assert assert_nothing_doubled_or_lost(store, hand) == BATCH
    assert len(hand.mails()) == len(CUSTOMERS)
