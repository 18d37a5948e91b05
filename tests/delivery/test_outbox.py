"""Claim, renew, settle: of two owners one wins, and a late writer changes nothing."""

from datetime import timedelta
from typing import Any

import pytest

from engine.delivery.leases import expire
from engine.delivery.outbox import Outbox, Outcome
from engine.delivery.rows import Attempt
from engine.delivery.states import Status
from engine.rendering.mail import Mail, MailOrder
from engine.store.connect import Store
from engine.store.dialect import database_now
from tests.delivery.post_office import (
    NOW,
    address,
    change,
    key,
    let_leases_run_out,
    mail_for,
    plan_mails,
    row,
    statuses,
)

ACCEPTED = Outcome(Status.ACCEPTED, provider_id="p-1")


def outbox(store: Store, owner: str = "ann") -> Outbox:
    return Outbox(store, owner, timedelta(seconds=60), "folder")


def claim(box: Outbox) -> list[Attempt]:
    return box.claim(box.due(NOW, 100), NOW)


def mails(attempts: list[Attempt]) -> dict[Attempt, Mail]:
    return {attempt: mail_for(MailOrder(attempt.key, attempt.planned_at)) for attempt in attempts}


def test_the_longest_due_come_first_and_no_more_than_asked_for(store: Store) -> None:
    plan_mails(store, 3, due_at=NOW - timedelta(hours=1))
    plan_mails(store, 1, 2, 4)
    assert [attempt.key for attempt in outbox(store).due(NOW, 3)] == [key(3), key(1), key(2)]


def test_only_scheduled_mails_are_due(store: Store) -> None:
    for number, status in enumerate(Status):
        plan_mails(store, number, status=status.value)
    due = [attempt.key for attempt in outbox(store).due(NOW, 10)]
    assert due == [key(list(Status).index(Status.SCHEDULED))]


def test_what_is_due_later_waits(store: Store) -> None:
    plan_mails(store, 1, due_at=NOW + timedelta(microseconds=1))
    assert outbox(store).due(NOW, 10) == []


def test_one_whose_window_has_closed_is_left_to_the_next_plan(store: Store) -> None:
    plan_mails(store, 1, 2, due_at=NOW - timedelta(hours=1))
    change(store, 1, closes_at=NOW)
    change(store, 2, closes_at=NOW + timedelta(microseconds=1))
    assert [attempt.key for attempt in outbox(store).due(NOW, 10)] == [key(2)]


def test_a_window_that_closes_while_mails_leave_is_closed_for_those_behind(store: Store) -> None:
    plan_mails(store, 1)
    change(store, 1, closes_at=NOW + timedelta(minutes=1))
    ours = outbox(store)
    assert len(ours.due(NOW, 10, open_at=NOW + timedelta(seconds=59))) == 1
    assert ours.due(NOW, 10, open_at=NOW + timedelta(minutes=1)) == []


def test_a_claim_is_the_whole_intent(store: Store) -> None:
    plan_mails(store, 1)
    with store.reading() as connection:
        before = database_now(connection)
    assert claim(outbox(store)) == [Attempt(key(1), NOW, 1)]
    mail = row(store, 1)
    assert (mail.status, mail.owner, mail.attempt, mail.transport) == ("sending", "ann", 1, "folder")
    assert (mail.message_id, mail.address) == (key(1).message_id, address(1))
    assert timedelta(seconds=60) <= mail.lease_until - before < timedelta(seconds=90)


def test_of_two_owners_one_gets_each_mail(store: Store) -> None:
    plan_mails(store, 1, 2)
    ann, bob = outbox(store, "ann"), outbox(store, "bob")
    seen_by_both = bob.due(NOW, 10)
    assert [attempt.key for attempt in ann.claim(ann.due(NOW, 1), NOW)] == [key(1)]
    assert [attempt.key for attempt in bob.claim(seen_by_both, NOW)] == [key(2)]
    assert (row(store, 1).owner, row(store, 2).owner) == ("ann", "bob")


def test_a_mail_that_came_and_went_in_between_is_not_claimed_by_what_was_read_before(store: Store) -> None:
    plan_mails(store, 1)
    bob = outbox(store, "bob")
    stale = bob.due(NOW, 10)
    ann = outbox(store, "ann")
    ann.settle({claim(ann)[0]: Outcome(Status.SCHEDULED)}, NOW)
    assert bob.claim(stale, NOW) == []


def test_only_what_is_still_scheduled_is_claimed(store: Store) -> None:
    plan_mails(store, 1, 2, 3, 4, 5)
    box = outbox(store)
    seen = box.due(NOW, 10)
    for customer_id, status in enumerate(("cancelled", "accepted", "unknown", "sending"), start=1):
        change(store, customer_id, status=status)
    assert [attempt.key for attempt in box.claim(seen, NOW)] == [key(5)]
    assert {row(store, i).owner for i in (1, 2, 3, 4)} == {None}


def test_settling_writes_what_became_of_it(store: Store) -> None:
    plan_mails(store, 1, 2)
    box = outbox(store)
    first, second = claim(box)
    later = NOW + timedelta(minutes=1)
    settled = box.settle({first: ACCEPTED, second: Outcome(Status.SCHEDULED, "busy", due_at=later)}, NOW)
    assert settled == {Status.ACCEPTED: 1, Status.SCHEDULED: 1}
    one, two = row(store, 1), row(store, 2)
    assert (one.status, one.provider_id, one.settled_at, one.lease_until) == ("accepted", "p-1", NOW, None)
    assert (one.due_at, two.due_at, two.error, two.settled_at) == (NOW, later, "busy", None)


def test_a_long_error_is_cut_to_what_the_table_holds(store: Store) -> None:
    plan_mails(store, 1)
    box = outbox(store)
    box.settle({claim(box)[0]: Outcome(Status.REJECTED, "x" * 1000)}, NOW)
    assert row(store, 1).error == "x" * 400


def test_renewing_keeps_address_and_evidence_before_anything_leaves(store: Store) -> None:
    plan_mails(store, 1)
    box = outbox(store)
    attempts = claim(box)
    let_leases_run_out(store)
    assert box.renew(mails(attempts)) == set(attempts)
    mail = row(store, 1)
    assert mail.evidence == '[{"bought": "guide", "customer": 1}]'
    assert mail.lease_until.year > 2000


def lose_to_nobody(store: Store) -> None:
    let_leases_run_out(store)
    expire(store)


def lose_to_another_owner(store: Store) -> None:
    change(store, 1, owner="bob")


def lose_to_another_attempt(store: Store) -> None:
    change(store, 1, attempt=2)


def lose_to_a_settlement(store: Store) -> None:
    change(store, 1, status="accepted")


LOSSES = [lose_to_nobody, lose_to_another_owner, lose_to_another_attempt, lose_to_a_settlement]


@pytest.mark.parametrize("lose", LOSSES)
def test_a_late_writer_changes_nothing(store: Store, lose: Any) -> None:
    plan_mails(store, 1)
    ann = outbox(store, "ann")
    attempts = claim(ann)
    lose(store)
    before = row(store, 1)
    assert ann.renew(mails(attempts)) == set()
    for status in (Status.ACCEPTED, Status.REJECTED, Status.UNKNOWN, Status.SCHEDULED):
        assert ann.settle({attempts[0]: Outcome(status)}, NOW) == {status: 0}
    assert row(store, 1) == before


def test_settling_keeps_to_the_allowed_moves(store: Store) -> None:
    plan_mails(store, 1)
    box = outbox(store)
    attempt = claim(box)[0]
    with pytest.raises(ValueError, match="never goes from sending to held_out"):
        box.settle({attempt: Outcome(Status.HELD_OUT)}, NOW)
    assert statuses(store) == {"sending": 1}
