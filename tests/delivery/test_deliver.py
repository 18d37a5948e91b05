"""The loop, with a transport that does as it is told."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from engine.delivery.courier import Courier
from engine.delivery.deliver import Delivered, Way, deliver
from engine.delivery.outbox import TRIES, Outbox
from engine.delivery.transports.base import OutcomeUnknown, Receipt, Refused, Trace, TryAgain
from engine.errors import TransportError
from engine.facts.consenting import say
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.spool import Spool
from engine.facts.suppression import address_hash
from engine.facts.wishes import SOURCE, Wishes
from engine.planning.pauses import pause
from engine.rendering.mail import Unwritable
from engine.settings.delivery import Delivery
from engine.store.connect import Store
from engine.store.tables import mail_events, suppressions
from tests.delivery.post_office import (
    NOW,
    PlainStudio,
    Postman,
    address,
    change,
    decide_anew,
    key,
    let_leases_run_out,
    plan_mails,
    row,
    run,
    settings,
    statuses,
)


def suppress(store: Store, customer_id: int) -> None:
    entry = {"address_hash": address_hash(address(customer_id).upper()), "reason": "complaint", "at": NOW}
    with store.writing() as connection:
        connection.execute(suppressions.insert(), [entry])


def say_no(store: Store, customer_id: int) -> None:
    with store.writing() as connection:
        say(connection, customer_id, [("marketing", False)], "one click", NOW)


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_everything_due_is_sent_once_in_order(store: Store, batch: int) -> None:
    plan_mails(store, 3, 1, 2, 5, 4)
    postman = Postman()
    assert run(store, postman, batch=batch) == Delivered(accepted=5)
    assert postman.sent == [1, 2, 3, 4, 5]
    mail = row(store, 3)
    assert (mail.status, mail.provider_id, mail.attempt, mail.settled_at) == ("accepted", "taken-3", 1, NOW)
    assert (mail.address, mail.evidence) == (address(3), '[{"bought": "guide", "customer": 3}]')


def test_a_second_run_finds_nothing_to_do(store: Store) -> None:
    plan_mails(store, 1)
    run(store, Postman())
    postman = Postman()
    assert run(store, postman) == Delivered()
    assert postman.sent == []


def test_what_is_not_scheduled_does_not_leave(store: Store) -> None:
    still = ("held_out", "accepted", "rejected", "cancelled", "unknown")
    for customer_id, status in enumerate(still):
        plan_mails(store, customer_id, status=status)
    postman = Postman()
    run(store, postman)
    assert postman.sent == []
    assert statuses(store) == dict.fromkeys(still, 1)


@pytest.mark.parametrize(
    ("reason", "status", "counted"),
    [
        ("claim_unproven", "scheduled", Delivered(accepted=1, postponed=1)),
        ("render_failed", "scheduled", Delivered(accepted=1, postponed=1)),
        ("no_address", "rejected", Delivered(accepted=1, rejected=1)),
    ],
)
def test_what_cannot_be_written_is_not_sent_and_says_why(
    store: Store, reason: Any, status: str, counted: Delivered
) -> None:
    plan_mails(store, 1, 2)
    studio = PlainStudio({1: Unwritable(key(1), reason, "because of this")})
    postman = Postman()
    assert run(store, postman, studio=studio) == counted
    assert postman.sent == [2]
    assert (row(store, 1).status, row(store, 1).error) == (status, f"{reason}: because of this")


def test_only_the_mails_of_the_campaigns_named_go(store: Store) -> None:
    plan_mails(store, 1)
    postman = Postman()
    assert run(store, postman, versions={"another": "v2"}) == Delivered()
    assert statuses(store) == {"scheduled": 1}
    assert row(store, 1).version != "v2"
    assert run(store, postman, versions={key(1).campaign_id: "v2"}) == Delivered(accepted=1)
    assert row(store, 1).version == "v2", "that of the file it was written from"


@pytest.mark.parametrize(
    ("answer", "status", "error", "counted"),
    [
        (Refused("no such mailbox"), "rejected", "no such mailbox", {"rejected": 1}),
        (TryAgain("busy"), "scheduled", "busy", {"postponed": 1}),
        (OutcomeUnknown("it hung up"), "unknown", "it hung up", {"unknown": 1}),
        (RuntimeError("boom"), "unknown", "RuntimeError: boom", {"unknown": 1}),
    ],
)
def test_what_a_transport_may_answer(
    store: Store, answer: Exception, status: str, error: str, counted: dict[str, int]
) -> None:
    plan_mails(store, 1, 2, 3)
    postman = Postman({2: answer})
    assert run(store, postman) == Delivered(accepted=2, **counted)
    assert postman.sent == [1, 3]
    assert (row(store, 2).status, row(store, 2).error) == (status, error)


def test_what_was_not_taken_is_tried_again_after_a_pause_that_grows(store: Store) -> None:
    plan_mails(store, 1)
    now = NOW
    for minutes in (1, 2, 4):
        run(store, Postman({1: TryAgain("busy")}), now=now)
        assert row(store, 1).due_at == now + timedelta(minutes=minutes)
        assert run(store, Postman(), now=row(store, 1).due_at - timedelta(seconds=1)) == Delivered()
        now = row(store, 1).due_at
        assert run(store, Postman(), now=now) == Delivered(), "not before it is decided anew"
        decide_anew(store, now)
    assert run(store, Postman(), now=now) == Delivered(accepted=1)
    assert row(store, 1).error is None


BROKEN = Unwritable(key(1), "render_failed", "a typo")


@pytest.mark.parametrize(
    ("answer", "studio", "why"),
    [
        (TryAgain("550 5.7.1 not from you"), PlainStudio(), "550 5.7.1 not from you"),
        (Receipt("taken"), PlainStudio({1: BROKEN}), "render_failed: a typo"),
    ],
)
def test_what_is_not_taken_for_days_is_rejected_and_a_person_may_let_it_go_again(
    store: Store, answer: Any, studio: Any, why: str
) -> None:
    """From the first time that it was not taken on, and not from when it was planned."""
    answers = {1: answer} if isinstance(answer, Exception) else {}
    plan_mails(store, 1)
    first = NOW + timedelta(days=9)
    last = first + timedelta(days=2)
    for now, tries, status, error in (
        (first, 0, "scheduled", why),
        (last - timedelta(seconds=1), TRIES, "scheduled", why),
        (last, TRIES - 2, "scheduled", why),  # it was paused for long
        (last, TRIES - 1, "rejected", f"given up after 2d: {why}"),
    ):
        change(store, 1, due_at=now, attempt=tries)
        decide_anew(store, now)
        run(store, Postman(answers), studio=studio, now=now, delivery=Delivery(try_for="2d"))
        assert (row(store, 1).status, row(store, 1).error) == (status, error)
    assert row(store, 1).settled_at == last


def test_where_the_way_out_is_unusable_no_mail_is_given_up(store: Store) -> None:
    """The run tells it, and goes on when it is mended."""
    plan_mails(store, 1)
    for now in (NOW, NOW + timedelta(days=30)):
        with pytest.raises(TransportError):
            run(store, Postman({1: TransportError("a wrong key")}), now=now)
        assert (row(store, 1).status, row(store, 1).in_vain_since) == ("scheduled", None)


def test_an_unusable_way_out_stops_the_run_and_forgets_nothing(store: Store) -> None:
    plan_mails(store, 1, 2, 3, 4)
    postman = Postman({3: TransportError("the disk is full")})
    with pytest.raises(TransportError, match="disk is full"):
        run(store, postman)
    assert statuses(store) == {"accepted": 2, "scheduled": 2}
    assert run(store, Postman()) == Delivered(accepted=2)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(1)])
def test_an_interruption_leaves_only_the_mail_in_the_air_unknown(
    store: Store, interruption: BaseException
) -> None:
    plan_mails(store, 1, 2, 3)
    with pytest.raises(type(interruption)):
        run(store, Postman({2: interruption}))
    assert [row(store, i).status for i in (1, 2, 3)] == ["accepted", "unknown", "scheduled"]


def test_what_could_not_be_made_lasting_is_not_called_accepted(store: Store) -> None:
    class Leaky(Postman):
        def flush(self) -> None:
            raise TransportError("input/output error")

    plan_mails(store, 1, 2)
    with pytest.raises(TransportError):
        run(store, Leaky({2: Refused("no")}))
    assert [row(store, i).status for i in (1, 2)] == ["unknown", "rejected"]


def test_a_studio_that_breaks_leaves_everything_scheduled(store: Store) -> None:
    class Broken(PlainStudio):
        def compose(self, *_: Any) -> Any:
            raise RuntimeError("boom")

    plan_mails(store, 1, 2)
    with pytest.raises(RuntimeError):
        run(store, Postman(), studio=Broken())
    assert statuses(store) == {"scheduled": 2}


def test_no_mail_is_written_before_its_intent_is_committed(store: Store) -> None:
    class Watching(PlainStudio):
        def compose(self, connection: Any, orders: Any, now: datetime) -> Any:
            assert statuses(store) == {"sending": 2}
            return super().compose(connection, orders, now)

    plan_mails(store, 1, 2)
    assert run(store, Postman(), studio=Watching()).accepted == 2


def test_the_door_is_asked_once_more(store: Store) -> None:
    class Suppressing(PlainStudio):
        """Between the plan and the door, somebody complains."""

        def compose(self, connection: Any, orders: Any, now: datetime) -> Any:
            mails = super().compose(connection, orders, now)
            connection.rollback()
            suppress(store, 2)
            return mails

    plan_mails(store, 1, 2, 3)
    postman = Postman()
    assert run(store, postman, studio=Suppressing()) == Delivered(accepted=2, cancelled=1)
    assert postman.sent == [1, 3]
    assert (row(store, 2).status, row(store, 2).error) == ("cancelled", "suppressed")


def test_the_door_looks_at_the_address_the_mail_goes_to(store: Store) -> None:
    class Moved(PlainStudio):
        def compose(self, connection: Any, orders: Any, now: datetime) -> Any:
            return [
                replace(mail, to_address=address(99)) for mail in super().compose(connection, orders, now)
            ]

    plan_mails(store, 1)
    suppress(store, 99)
    assert run(store, Postman(), studio=Moved()) == Delivered(cancelled=1)


def test_progress_speaks_of_what_an_earlier_run_left(store: Store) -> None:
    plan_mails(store, 1)
    box = Outbox(store, "dead", timedelta(seconds=60), "postman")
    box.claim(box.due(NOW, 10), NOW)
    let_leases_run_out(store)
    said: list[str] = []
    assert run(store, Postman(), said=said) == Delivered(unknown=1)
    assert said == ["left under way by an earlier run, and looked up now: 1"]


# ── Leases while sending ────────────────────────────────────────────────────────────────────────


def courier(store: Store, postman: Postman, ticks: Sequence[float]) -> tuple[Outbox, Courier]:
    """A courier whose stopwatch shows the given seconds, one look after the other, then stands still.

    It is looked at first, and then before and after each mail.
    """
    box = Outbox(store, "ann", timedelta(seconds=60), "postman")
    looks = chain(ticks, repeat(ticks[-1]))
    return box, Courier(box, PlainStudio(), postman, NOW, lambda: next(looks))


@pytest.mark.parametrize(
    ("ticks", "doors"),
    [
        ([0.0], 1),
        ([0.0, 10.0, 20.0, 29.9], 1),
        ([0.0, 0.0, 30.0, 30.0, 30.0, 59.0, 59.0, 60.0], 2),
        ([0.0, 0.0, 100.0, 100.0, 100.0, 200.0, 200.0, 200.0, 300.0], 3),
    ],
)
def test_the_lease_is_renewed_when_half_of_it_is_used_up(
    store: Store, ticks: Sequence[float], doors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_mails(store, 1, 2, 3)
    postman = Postman()
    box, ann = courier(store, postman, ticks)
    renewals: list[int] = []
    renew = box.renew
    monkeypatch.setattr(box, "renew", lambda mails: renewals.append(len(mails)) or renew(mails))
    ann.carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1, 2, 3]
    assert len(renewals) == doors


def test_a_courier_that_lost_its_mails_on_the_way_sends_no_more_of_them(store: Store) -> None:
    plan_mails(store, 1, 2, 3)
    postman = Postman()
    box, ann = courier(store, postman, [0.0, 31.0])
    postman.before_each = lambda i: change(store, 2, status="unknown") if i == 1 else None
    ann.carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1, 3]
    assert [row(store, i).status for i in (1, 2, 3)] == ["accepted", "unknown", "accepted"]


def test_who_complains_while_the_batch_is_leaving_is_stopped_at_the_next_door(store: Store) -> None:
    plan_mails(store, 1, 2)
    postman = Postman()
    box, ann = courier(store, postman, [0.0, 31.0])
    postman.before_each = lambda i: suppress(store, 2)
    ann.carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1]
    assert row(store, 2).error == "suppressed"


def test_a_no_holds_from_the_moment_it_was_said_whoever_says_it(store: Store) -> None:
    """The mails of one batch leave one after the other, a second each."""
    plan_mails(store, *range(1, 6))
    postman = Postman()
    deeds = {1: suppress, 3: say_no}
    postman.before_each = lambda i: deeds[i](store, i + 1) if i in deeds else None
    box, ann = courier(store, postman, range(9))
    ann.carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1, 3, 5]
    assert [row(store, i).error for i in (2, 4)] == [
        "suppressed",
        "the customer said no to its topic meanwhile",
    ]


def test_nothing_leaves_to_who_wished_so_while_another_has_the_database(store: Store, tmp_path: Path) -> None:
    """It waits, with all to the same address, until the wish is carried out; then it is cancelled."""
    plan_mails(store, 1, 2, 3, 4)
    postman = Postman()
    box, ann = courier(store, postman, range(9))
    wishes = Wishes(store, Spool(tmp_path).wishes)
    said = {"customers": [2], "addresses": [address_hash(address(3).upper())], "how": "click", "said": {}}
    wish = Told(SOURCE, "1", NOW, json.dumps(said | {"mail": key(2).message_id}))
    postman.before_each = lambda i: wishes.tray.put([wish]) if i == 1 else None
    replace(ann, wishes=wishes).carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1, 4]
    assert [row(store, i).status for i in (2, 3)] == ["scheduled", "scheduled"]
    way = Way(store, PlainStudio(), postman, settings(), "ann", print, wishes=wishes)
    assert deliver(way, NOW) == Delivered(accepted=1, cancelled=1)
    assert postman.sent == [1, 4, 3]
    assert row(store, 2).error == "the customer said no to its topic meanwhile"


def test_a_pause_holds_what_has_not_left_in_the_same_batch(store: Store) -> None:
    plan_mails(store, 1, 2, 3)
    postman = Postman()

    def stop(_: int) -> None:
        with store.writing() as connection:
            pause(connection, "welcome-back", NOW)

    postman.before_each = stop
    box, ann = courier(store, postman, range(9))
    ann.carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1]
    assert [row(store, i).status for i in (2, 3)] == ["scheduled", "scheduled"]


def test_what_was_told_of_a_mail_since_it_was_claimed_again_is_heard_at_the_door(store: Store) -> None:
    plan_mails(store, 1, 2)
    change(store, 2, attempt=1, message_id=key(2).message_id)
    postman = Postman()

    def tell(_: int) -> None:
        told = {"source": "sendgrid", "event_id": "e", "kind": "delivered", "at": NOW, "machine": False}
        mail = {"customer_id": 2, "message_id": key(2).message_id, "address_hash": "", "recorded_at": NOW}
        with store.writing() as connection:
            connection.execute(mail_events.insert(), told | mail)

    postman.before_each = tell
    box, ann = courier(store, postman, range(9))
    ann.carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1]
    assert row(store, 2).status == "accepted"


# ── Others at work ──────────────────────────────────────────────────────────────────────────────


def claimed_by_another(store: Store) -> None:
    box = Outbox(store, "another", timedelta(seconds=60), "postman")
    box.claim(box.due(NOW, 100), NOW)


def test_mails_of_a_live_owner_are_left_alone_and_counted(store: Store) -> None:
    plan_mails(store, 1, 2)
    claimed_by_another(store)
    postman = Postman()
    assert run(store, postman) == Delivered(under_way=2)
    assert postman.sent == []


def test_a_run_that_waits_sees_to_the_mails_of_a_dead_one(store: Store) -> None:
    plan_mails(store, 1, 2)
    claimed_by_another(store)
    postman = Postman()
    postman.exactly_once = True
    postman.look_up = lambda *_: next(answers)
    answers = iter([Trace.FOUND, Trace.MISSING])
    delivered = run(store, postman, wait=lambda _: let_leases_run_out(store))
    assert delivered == Delivered(accepted=1, found=1)
    assert len(postman.sent) == 1
    assert statuses(store) == {"accepted": 2}


@pytest.mark.parametrize(
    ("delivered", "said"),
    [
        (Delivered(), "No mail was due."),
        (Delivered(accepted=1200, under_way=3), "Mails: 1,200 accepted, 3 under way"),
    ],
)
def test_it_says_what_it_did(delivered: Delivered, said: str) -> None:
    assert str(delivered) == said
    assert delivered.as_json()["accepted"] == delivered.accepted
