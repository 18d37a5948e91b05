"""Mails of which nobody knows: found, missing, or still nobody knows."""

from typing import Any

import pytest

from engine.delivery import reconcile as room
from engine.delivery.reconcile import reconcile
from engine.delivery.transports.base import Trace
from engine.store.connect import Store
from tests.delivery.post_office import NOW, Postman, change, key, plan_mails, row, statuses


def leave_unknown(store: Store, *customer_ids: int, transport: str = "postman") -> None:
    plan_mails(store, *customer_ids, status="unknown")
    for customer_id in customer_ids:
        change(
            store,
            customer_id,
            message_id=key(customer_id).message_id,
            owner="ann",
            attempt=1,
            transport=transport,
            error="the lease of ann ran out",
        )


@pytest.mark.parametrize(
    ("trace", "exactly_once", "status", "error"),
    [
        (Trace.FOUND, True, "accepted", None),
        (Trace.FOUND, False, "accepted", None),
        (Trace.MISSING, True, "scheduled", None),
        (Trace.MISSING, False, "unknown", "the lease of ann ran out"),
        (Trace.CANNOT_TELL, True, "unknown", "the lease of ann ran out"),
        (Trace.CANNOT_TELL, False, "unknown", "the lease of ann ran out"),
    ],
)
def test_what_a_look_up_makes_of_it(
    store: Store, trace: Trace, exactly_once: bool, status: str, error: str | None
) -> None:
    leave_unknown(store, 1)
    postman = Postman(trace=trace)
    postman.exactly_once = exactly_once
    assert reconcile(store, postman, NOW) == (1 if trace is Trace.FOUND else 0)
    mail = row(store, 1)
    assert (mail.status, mail.error, mail.attempt) == (status, error, 1)
    assert mail.settled_at == (NOW if status == "accepted" else None)


def test_only_the_transport_that_sent_it_is_asked(store: Store) -> None:
    leave_unknown(store, 1, transport="console")
    assert reconcile(store, Postman(trace=Trace.FOUND), NOW) == 0
    assert statuses(store) == {"unknown": 1}


@pytest.mark.parametrize("trace", [Trace.FOUND, Trace.CANNOT_TELL])
def test_every_page_is_looked_up_once(store: Store, trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAGE", 2)
    leave_unknown(store, 1, 2, 3, 4, 5)
    asked: list[str] = []

    class Asked(Postman):
        def look_up(self, message_id: str, planned_at: object) -> Trace:
            asked.append(message_id)
            return trace

    reconcile(store, Asked(), NOW)
    assert sorted(asked) == sorted(key(i).message_id for i in range(1, 6))


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"status": "sending", "attempt": 2, "owner": "bob"},
        {"status": "unknown", "attempt": 2, "owner": "bob"},
        {"status": "accepted"},
        {"status": "cancelled"},
    ],
)
def test_what_has_changed_meanwhile_stays_so(store: Store, meanwhile: dict[str, Any]) -> None:
    leave_unknown(store, 1)

    class Slow(Postman):
        exactly_once = True

        def look_up(self, message_id: str, planned_at: object) -> Trace:
            change(store, 1, **meanwhile)
            return Trace.MISSING

    reconcile(store, Slow(), NOW)
    after = row(store, 1)._mapping
    assert {name: after[name] for name in meanwhile} == meanwhile


def test_nothing_is_written_down_as_found_before_it_is_lasting(store: Store) -> None:
    leave_unknown(store, 1)

    class Flushed(Postman):
        def flush(self) -> None:
            assert row(store, 1).status == "unknown"
            self.sent.append(1)

    postman = Flushed(trace=Trace.FOUND)
    assert reconcile(store, postman, NOW) == 1
    assert postman.sent == [1]
