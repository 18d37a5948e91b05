"""Transactional mail, which is owed: what stands against it, what does not, and what it cannot be."""

from datetime import timedelta
from typing import Any

import pytest

from engine.errors import Problems
from engine.facts.suppression import address_hash
from engine.settings.model import Settings
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Consent, Line, Order, Person

SEND = ("send", "due")
STRICT = Settings(
    holdout="100%", minimum_gap="20h", cool_down={"after_purchase": "9d"}, frequency={"max": 1, "per": "30d"}
)


def decide(store: Store, person: Person, **words: Any) -> tuple[str, str]:
    [answer] = owed(store, person, **words).reasons(NOW)
    return answer


def owed(store: Store, person: Person, **words: Any) -> Shop:
    return Shop(store, [campaign_text(transactional="true", **words)], STRICT, people={1: person})


def test_neither_consent_nor_a_fresh_purchase_nor_a_recent_mail_stands_against_it(store: Store) -> None:
    person = buyer(NOW, consents=[Consent(NOW - DAY, granted=False)])
    person.orders.append(Order(NOW - timedelta(minutes=1), [Line("mug")]))
    it = owed(store, person)
    times = {"opened_at": NOW, "closes_at": NOW + DAY, "last_addition_at": NOW}
    it.add("transactions", customer_id=1, first_order_ref="o1", number=1, **times)
    words = {"campaign_id": "x", "step_id": "one", "spell": 1, "version": "", "track": "back-end"}
    it.add("messages", customer_id=1, status="accepted", planned_at=NOW, due_at=NOW, **words)
    assert it.reasons(NOW) == [SEND]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("unsubscribed", SEND),
        ("bounce", ("skip", "suppressed")),
        ("complaint", ("skip", "suppressed")),
        ("asked by phone", ("skip", "suppressed")),
    ],
)
def test_who_only_unsubscribed_still_gets_it(store: Store, reason: str, expected: tuple[str, str]) -> None:
    it = owed(store, buyer(NOW))
    it.add("suppressions", address_hash=address_hash("ann@example.com"), reason=reason, at=NOW)
    assert it.reasons(NOW) == [expected]


def test_marketing_stays_away_from_who_unsubscribed(store: Store) -> None:
    it = Shop(store, [campaign_text()], people={1: buyer(NOW)})
    it.add("suppressions", address_hash=address_hash("ann@example.com"), reason="unsubscribed", at=NOW)
    assert it.reasons(NOW) == [("skip", "suppressed")]


def test_without_an_address_there_is_no_mail(store: Store) -> None:
    assert decide(store, buyer(NOW, email=None)) == ("skip", "no_address")


@pytest.mark.parametrize(
    ("words", "line", "told"),
    [
        ({"holdout": "10%"}, "holdout", "not in a transactional campaign (what is owed goes to everybody)"),
        ({"offers": "[mug]"}, "offers", "with an offer it is marketing"),
        ({"topic": "news"}, "topic", "it needs no consent"),
        ({"priority": 90}, "priority", "it competes with no other campaign"),
        ({"cool_down": "{after_purchase: 1d}"}, "cool_down", "it does not wait for a purchase"),
    ],
)
def test_what_would_mean_nothing_is_a_mistake(
    store: Store, words: dict[str, Any], line: str, told: str
) -> None:
    it = owed(store, buyer(NOW), **words)
    with pytest.raises(Problems) as raised:
        it.tick(NOW)
    [problem] = raised.value.problems
    assert problem.line == 1 + [*campaign_text(transactional="true", **words).splitlines()].index(
        next(text for text in it.campaigns[0].splitlines() if text.startswith(line))
    )
    assert told in str(problem)


def test_a_holdout_of_none_may_be_written_out(store: Store) -> None:
    assert decide(store, buyer(NOW), holdout="0%") == SEND
