"""A mail leaves only in a slot that the plan had room for, and counts from when it leaves."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import OperationalError

from engine.delivery.deliver import Delivered
from engine.delivery.outbox import Outbox
from engine.facts.suppression import address_hash
from engine.planning.slots import lock_contacts
from engine.store.connect import Store
from engine.store.tables import contact_state, suppressions
from tests.delivery.post_office import (
    NOW,
    Postman,
    address,
    change,
    decide_anew,
    plan_mails,
    row,
    run,
)

LATER = NOW + timedelta(hours=5)


def test_a_claim_consumes_the_slot_at_the_time_of_the_claim(store: Store) -> None:
    plan_mails(store, 1, 2)
    decide_anew(store, NOW)
    change(store, 2, slot_at=LATER + timedelta(hours=1))
    assert run(store, Postman(), now=LATER) == Delivered(accepted=2)
    assert (row(store, 1).slot_at, row(store, 2).slot_at) == (LATER, LATER + timedelta(hours=1))


def test_what_the_plan_put_off_is_not_claimed_by_who_read_it_before(store: Store) -> None:
    plan_mails(store, 1, 2)
    box = Outbox(store, "ann", timedelta(seconds=60), "postman")
    seen = box.due(NOW, 10)
    change(store, 1, due_at=LATER)
    assert [attempt.key.customer_id for attempt in box.claim(seen, NOW)] == [2]
    assert row(store, 1).status == "scheduled"


def test_what_fell_due_again_waits_for_the_plan(store: Store) -> None:
    plan_mails(store, 1)
    change(store, 1, due_at=LATER)
    assert run(store, Postman(), now=LATER) == Delivered()
    decide_anew(store, LATER)
    assert run(store, Postman(), now=LATER) == Delivered(accepted=1)


def test_a_claim_waits_for_the_plan_of_its_customers(store: Store) -> None:
    """Who counts slots holds the customers; SQLite has one writer at a time anyway."""
    if store.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    plan_mails(store, 1, 2)
    with store.writing() as connection:
        connection.execute(insert(contact_state), [{"customer_id": 1}, {"customer_id": 2}])
    box = Impatient(store, "ann", timedelta(seconds=60), "postman")
    seen = box.due(NOW, 10)
    with store.writing() as planning:
        lock_contacts(planning, [2])
        with pytest.raises(OperationalError, match="lock timeout"):
            box.claim(seen, NOW)
        assert len(box.claim(seen[:1], NOW)) == 1, "another customer's mail may leave meanwhile"


class Impatient(Outbox):
    """Waits a moment only."""

    def claim(self, waiting: Any, now: Any) -> Any:
        with self.store.engine.begin() as connection:
            connection.execute(text("SET lock_timeout = '20ms'"))
            lock_contacts(connection, sorted(attempt.key.customer_id for attempt in waiting))
        return super().claim(waiting, now)


@pytest.mark.parametrize(
    ("reason", "topic", "expected"),
    [
        ("unsubscribed", "marketing", Delivered(cancelled=1)),
        ("unsubscribed", "", Delivered(accepted=1)),
        ("complaint", "marketing", Delivered(cancelled=1)),
        ("complaint", "", Delivered(cancelled=1)),
    ],
)
def test_at_the_door_who_unsubscribed_is_let_through_what_is_owed(
    store: Store, reason: str, topic: str, expected: Delivered
) -> None:
    plan_mails(store, 1)
    change(store, 1, topic=topic)
    with store.writing() as connection:
        barred = {"address_hash": address_hash(address(1)), "reason": reason, "at": NOW}
        connection.execute(suppressions.insert(), barred)
    assert run(store, Postman()) == expected
