"""The circuit breaker: which campaigns it pauses, and which it lets go on."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.delivery.breaker import break_circuits
from engine.planning.pauses import paused_since, resume, why_paused
from engine.settings.delivery import Breaker
from engine.store.connect import Store
from engine.store.tables import mail_events, messages
from tests.delivery.post_office import NOW, key, plan_mails

HOUR = timedelta(hours=1)
LIMITS = Breaker(bounces=Decimal("0.1"), complaints=Decimal("0.05"), at_least=20)
WELCOME = {"welcome-back"}


def left(store: Store, mails: int, *, at=NOW, **told: int) -> None:
    """So many mails left, and of the first of them so much was told, twice each."""
    ids = range(1, mails + 1)
    plan_mails(store, *ids, status="accepted")
    events = [
        {"customer_id": i, "source": "sendgrid", "event_id": f"{kind}-{i}-{again}", "kind": kind, "at": at,
         "message_id": key(i).message_id, "campaign_id": "welcome-back", "step_id": "hello", "machine": False,
         "address_hash": "", "recorded_at": at}
        for kind, number in told.items() for i in ids[:number] for again in (1, 2)
    ]  # fmt: skip
    with store.writing() as connection:
        for i in ids:
            mine = messages.c.customer_id == i
            connection.execute(
                messages.update().where(mine).values(settled_at=at, message_id=key(i).message_id)
            )
        if events:
            connection.execute(mail_events.insert(), events)


def judged(store: Store, now=NOW + HOUR, limits: Breaker = LIMITS, ids=WELCOME) -> list[str]:
    with store.writing() as connection:
        return [fuse.why for fuse in break_circuits(connection, limits, ids, now)]


def test_who_was_refused_for_no_such_address_counts_though_the_mail_never_left(store: Store) -> None:
    left(store, 40, refused=5)
    with store.writing() as connection:
        connection.execute(messages.update().where(messages.c.customer_id <= 5).values(status="rejected"))
    assert judged(store) == ["5 of 40 mails of the last 3d came back, more than 10%"]


@pytest.mark.parametrize(
    ("mails", "told", "expected"),
    [
        (40, {}, []),
        (40, {"bounced": 4}, []),
        (40, {"bounced": 5}, ["5 of 40 mails of the last 3d came back, more than 10%"]),
        (40, {"complained": 3}, ["3 of 40 mails of the last 3d were complained of, more than 5%"]),
        (40, {"bounced": 5, "complained": 3}, ["5 of 40 mails of the last 3d came back, more than 10%"]),
        (40, {"soft_bounce": 40, "opened": 40, "blocked": 40}, []),
        (19, {"bounced": 19}, []),
    ],
)
def test_what_is_over_a_limit(store: Store, mails: int, told: dict[str, int], expected: list[str]) -> None:
    left(store, mails, **told)
    assert judged(store) == expected
    with store.reading() as connection:
        assert list(paused_since(connection)) == ["welcome-back"] * len(expected)
        assert list(why_paused(connection).values()) == expected


def test_what_left_long_ago_counts_no_more(store: Store) -> None:
    left(store, 40, bounced=40)
    assert judged(store, NOW + timedelta(days=3)) == []


def test_who_resumes_begins_anew(store: Store) -> None:
    left(store, 40, bounced=40)
    assert len(judged(store)) == 1
    assert judged(store) == [], "it is paused already"
    with store.writing() as connection:
        assert resume(connection, "welcome-back", NOW + 2 * HOUR)
    assert judged(store, NOW + 3 * HOUR) == []


def test_a_campaign_that_is_in_no_file_is_left_alone(store: Store) -> None:
    left(store, 40, bounced=40)
    assert judged(store, ids={"another"}) == []


def test_a_share_of_everything_switches_it_off(store: Store) -> None:
    left(store, 40, bounced=40, complained=40)
    assert judged(store, limits=Breaker(bounces=Decimal(1), complaints=Decimal(1), at_least=1)) == []
