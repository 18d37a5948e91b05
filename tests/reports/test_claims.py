"""Claims as they are kept with mails, on both databases."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from engine.delivery.states import Status
from engine.reports.claims import AskedClaims, MadeClaim, claims_made
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from engine.store.tables import customer_aliases, messages
from tests.conftest import NOW

OWNED = {"claim": "owned('guide')", "order_lines": [{"order": "o1"}]}
USED = {"claim": "consumed('guide')", "consumption": []}


def mail(customer: int, hours: int, *evidence: dict[str, Any], **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=hours)
    row = {"campaign_id": "c", "step_id": "one", "spell": 1, "version": "1", "track": "back-end"}
    row |= {"planned_at": at, "due_at": at, "meant_at": at, "settled_at": at, "status": Status.ACCEPTED}
    row |= {"message_id": f"m{customer}", "address": f"{customer}@example.com"}
    return {**row, "customer_id": customer, "evidence": json.dumps(evidence), **more}


def asked(store: Store, **words: Any) -> tuple[list[MadeClaim], int]:
    with store.reading() as connection:
        return claims_made(connection, AskedClaims(NOW, **words))


def test_what_left_and_claimed_something(store: Store) -> None:
    ensure_current(store)
    rows = [
        mail(1, 3, OWNED, USED),
        mail(2, 1, USED),
        mail(3, 2),  # claims nothing
        mail(4, 2, OWNED, status=Status.SCHEDULED),
        mail(5, 2, OWNED, status=Status.REJECTED),
        mail(6, 5, OWNED, status=Status.UNKNOWN, campaign_id="d"),
        mail(7, 2, evidence=None),  # erased
        mail(8, -1, OWNED),  # later than asked
    ]
    with store.writing() as connection:
        connection.execute(insert(messages), rows)
        connection.execute(insert(customer_aliases).values(customer_id=2, merged_into=1, at=NOW))
    every, count = asked(store)
    assert count == 4
    assert [(made.customer_id, made.claim) for made in every] == [
        (1, "consumed('guide')"),  # customer 2 is 1 by now
        (1, "owned('guide')"),
        (1, "consumed('guide')"),
        (6, "owned('guide')"),
    ]
    assert (every[1].fact, every[3].status) == ({"order_lines": [{"order": "o1"}]}, "unknown")
    assert [made.message_id for made in asked(store, customer_id=1)[0]] == ["m2", "m1", "m1"]
    assert asked(store, campaign_id="d") == (every[3:], 1)
    assert asked(store, most=2) == (every[:2], 4)
    assert asked(store, campaign_id="e") == ([], 0)
