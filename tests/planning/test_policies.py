"""Every policy by a table of cases: one person, one step that is due, and what is decided about it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.facts.suppression import address_hash
from engine.planning.policies import CONTESTS, LIMITS, POLICIES
from engine.rules.conditions.consumed import Consumed
from engine.settings.model import Settings
from engine.settings.policies import Consent as ConsentSettings
from engine.settings.policies import Frequency
from engine.store import tables
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Change, Consent, Line, Order, Person, Told

SECOND = timedelta(seconds=1)
SEND = ("send", "due")
SOFT = Settings(consent=ConsentSettings(default="soft_opt_in"))


def decide(
    store: Store, person: Person, settings: Settings | None = None, **campaign: Any
) -> tuple[str, str]:
    shop = Shop(store, [campaign_text(**campaign)], settings or Settings(), people={1: person})
    [answer] = shop.reasons(NOW)
    return answer


@pytest.mark.parametrize(
    ("consents", "settings", "expected"),
    [
        ([Consent(NOW - DAY)], None, SEND),
        ([], None, ("skip", "no_consent")),
        ([Consent(NOW - 2 * DAY), Consent(NOW - DAY, granted=False)], None, ("skip", "no_consent")),
        ([Consent(NOW - 2 * DAY, granted=False), Consent(NOW - DAY)], None, SEND),
        # opt-out beats opt-in in the same instant
        ([Consent(NOW - DAY), Consent(NOW - DAY, granted=False)], None, ("skip", "no_consent")),
        # what has not happened yet does not count
        ([Consent(NOW + SECOND)], None, ("skip", "no_consent")),
        ([Consent(NOW - DAY), Consent(NOW + SECOND, granted=False)], None, SEND),
        # another topic is no consent to this one
        ([Consent(NOW - DAY, topic="events")], None, ("skip", "no_consent")),
        # soft opt-in: nothing on record is enough, a no is not
        ([], SOFT, SEND),
        ([Consent(NOW - DAY, granted=False)], SOFT, ("skip", "no_consent")),
        ([Consent(NOW - DAY, granted=False, topic="events")], SOFT, SEND),
    ],
)
def test_consent(store: Store, consents: list[Consent], settings: Any, expected: tuple[str, str]) -> None:
    assert decide(store, buyer(NOW, consents=consents), settings) == expected


def test_no_address(store: Store) -> None:
    assert decide(store, buyer(NOW, email=None)) == ("skip", "no_address")


@pytest.mark.parametrize(
    ("address", "since", "expected"),
    [
        ("ann@example.com", NOW, ("skip", "suppressed")),
        ("ann@example.com", NOW + SECOND, SEND),
        ("bob@example.com", NOW, SEND),
    ],
)
def test_suppression(store: Store, address: str, since: datetime, expected: tuple[str, str]) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW)})
    shop.add("suppressions", address_hash=address_hash(address), reason="manual", at=since)
    assert shop.reasons(NOW) == [expected]


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("bad@example.com", "ann@example.com", SEND),
        ("ann@example.com", "bad@example.com", ("skip", "suppressed")),
    ],
)
def test_a_suppression_is_of_the_address(store: Store, was: str, now: str, expected: tuple[str, str]) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW, email=was)})
    shop.add("suppressions", address_hash=address_hash("bad@example.com"), reason="manual", at=NOW)
    with store.writing() as connection:
        connection.execute(update(tables.customers).values(email=now))
    assert shop.reasons(NOW) == [expected]


@pytest.mark.parametrize(
    ("line", "bought", "expected"),
    [
        (Line("mug"), NOW - DAY, ("skip", "owns_offer")),
        (Line("mug", refunded_at=NOW), NOW - DAY, SEND),
        (Line("mug", refunded_at=NOW + SECOND), NOW - DAY, ("skip", "owns_offer")),
        (Line("mug", amount=0), NOW - DAY, ("skip", "owns_offer")),
        (Line("mug"), NOW + SECOND, SEND),
        (Line("towel"), NOW - DAY, SEND),
    ],
)
def test_ownership_of_the_offer(
    store: Store, line: Line, bought: datetime, expected: tuple[str, str]
) -> None:
    person = buyer(NOW)
    person.orders.append(Order(bought, [line]))
    assert decide(store, person, offers="[mug]") == expected


def test_what_one_campaign_offers_is_none_of_anothers(store: Store) -> None:
    person = buyer(NOW)
    person.orders.append(Order(NOW - DAY, [Line("mug")]))
    texts = [campaign_text(name, offers=f"[{sku}]") for name, sku in (("cups", "mug"), ("towels", "towel"))]
    assert sorted(Shop(store, texts, people={1: person}).preview(NOW)) == [
        (1, "cups", "one", "skip", "owns_offer"),
        (1, "towels", "one", "send", "due"),
    ]


SUBSCRIBED = [Change(NOW - 40 * DAY)]
CANCELLED = [*SUBSCRIBED, Change(NOW - DAY, status="cancelled")]
RUNS_OUT = [*SUBSCRIBED, Change(NOW - DAY, status="cancelled", ends_at=NOW + SECOND)]
RAN_OUT = [*SUBSCRIBED, Change(NOW - DAY, status="cancelled", ends_at=NOW)]
PAST_DUE = [*SUBSCRIBED, Change(NOW - DAY, status="past_due")]
OWNS = ("skip", "owns_offer")


@pytest.mark.parametrize(
    ("bought", "changes", "expected"),
    [
        # who has the subscription, however it came about
        (True, SUBSCRIBED, OWNS),
        (False, SUBSCRIBED, OWNS),
        (False, PAST_DUE, OWNS),
        (False, RUNS_OUT, OWNS),
        # who had it may be asked again
        (True, CANCELLED, SEND),
        (True, RAN_OUT, SEND),
        (True, [Change(NOW - 40 * DAY, ends_at=NOW)], SEND),
        (True, [*CANCELLED, Change(NOW, subscription="s2")], OWNS),
        # of what nothing is known, and of what is to come, the purchase decides
        (True, [], OWNS),
        (False, [], SEND),
        (True, [Change(NOW + SECOND, status="cancelled")], OWNS),
        (False, [Change(NOW + SECOND)], SEND),
        # another product's subscription says nothing of this one
        (True, [Change(NOW - DAY, "patron", status="cancelled")], OWNS),
        (False, [Change(NOW - DAY, "patron")], SEND),
    ],
)
def test_a_subscription_is_owned_while_it_runs(
    store: Store, bought: bool, changes: list[Change], expected: tuple[str, str]
) -> None:
    person = buyer(NOW, changes=changes)
    person.orders += [Order(NOW - 40 * DAY, [Line("club")])] if bought else []
    assert decide(store, person, offers="[club]") == expected


@pytest.mark.parametrize(
    ("opened", "closes", "last_addition", "expected"),
    [
        # quiet is a day: at its very end the mail may go
        (NOW - 2 * DAY, NOW - DAY, NOW - 2 * DAY, SEND),
        (NOW - 2 * DAY, NOW - DAY + SECOND, NOW - 2 * DAY, ("hold", "open_transaction")),
        (NOW - SECOND, NOW + DAY, NOW - SECOND, ("hold", "open_transaction")),
        # an upsell later on restarts the quiet
        (NOW - 9 * DAY, NOW - 9 * DAY, NOW - SECOND, ("hold", "open_transaction")),
        # not opened yet
        (NOW + SECOND, NOW + DAY, NOW + SECOND, SEND),
    ],
)
def test_open_transaction(
    store: Store, opened: datetime, closes: datetime, last_addition: datetime, expected: tuple[str, str]
) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW)})
    times = {"opened_at": opened, "closes_at": closes, "last_addition_at": last_addition}
    shop.add("transactions", customer_id=1, first_order_ref="o0", number=1, **times)
    assert shop.reasons(NOW) == [expected]


REFUSED = ("hold", "refused_lately")


@pytest.mark.parametrize(
    ("what", "sku", "age", "campaign", "expected"),
    [
        ("offer_refused", "mug", 0 * DAY, None, REFUSED),
        ("offer_refused", "mug", 14 * DAY - SECOND, None, REFUSED),
        ("offer_refused", "mug", 14 * DAY, None, SEND),
        ("offer_refused", "mug", -SECOND, None, SEND),
        # what it does not offer, and what was not refused
        ("offer_refused", "towel", DAY, None, SEND),
        ("offer_shown", "mug", DAY, None, SEND),
        ("offer_accepted", "mug", DAY, None, SEND),
        # a campaign may name its own time
        ("offer_refused", "mug", 2 * DAY, "2d", SEND),
        ("offer_refused", "mug", 2 * DAY - SECOND, "2d", REFUSED),
        ("offer_refused", "mug", 20 * DAY, "30d", REFUSED),
    ],
)
def test_what_was_refused_in_the_front_end_is_not_offered_again_at_once(
    store: Store, what: str, sku: str, age: timedelta, campaign: str | None, expected: tuple[str, str]
) -> None:
    words = {"offers": "[mug]"} | ({"offers_again_after": campaign} if campaign else {})
    person = buyer(NOW, funnel=[Told(NOW - age, what, sku)])
    assert decide(store, person, **words) == expected


def test_how_long_a_refusal_counts_is_a_setting(store: Store) -> None:
    person = buyer(NOW, funnel=[Told(NOW - 2 * DAY, "offer_refused", "mug")])
    assert decide(store, person, Settings(offers_again_after="2d"), offers="[mug]") == SEND


OPEN = ("hold", "open_transaction")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("started", "checkout", "order", "expected"),
    [
        # until it is given up, a day after its start
        (NOW, "x", None, OPEN),
        (NOW - DAY + SECOND, "x", None, OPEN),
        (NOW - DAY, "x", None, SEND),
        (NOW + SECOND, "x", None, SEND),
        # until an order of it; what follows is the transaction's business
        (NOW - HOUR, "x", ("x", NOW, True), SEND),
        (NOW - HOUR, "x", ("x", NOW - 2 * HOUR, True), SEND),
        (NOW - HOUR, "x", ("y", NOW, True), OPEN),
        (NOW - HOUR, "x", ("", NOW, True), OPEN),
        (NOW - HOUR, "x", ("x", NOW + SECOND, True), OPEN),
        (NOW - 3 * HOUR, "x", ("x", NOW - 2 * HOUR, False), OPEN),
        # a start that names no checkout: until any order
        (NOW - HOUR, "", ("", NOW, True), SEND),
        (NOW - HOUR, "", ("y", NOW - HOUR, True), SEND),
        (NOW - HOUR, "", ("y", NOW - HOUR - SECOND, True), OPEN),
    ],
)
def test_open_checkout(
    store: Store,
    started: datetime,
    checkout: str,
    order: tuple[str, datetime, bool] | None,
    expected: tuple[str, str],
) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW, funnel=[_start(started, checkout)])})
    if order is not None:
        money = {"amount": 700, "charged": 700, "currency": "USD", "digest": "", "recorded_at": NOW}
        named = {"order_ref": "new", "checkout_id": order[0], "at": order[1], "paid": order[2]}
        shop.add("orders", customer_id=1, **named, **money)
    assert shop.reasons(NOW) == [expected]


def test_when_a_checkout_is_given_up_is_a_setting(store: Store) -> None:
    settings = Settings(checkout={"expires": "2h"})
    person = buyer(NOW, funnel=[_start(NOW - HOUR, "x")])
    shop = Shop(store, [campaign_text()], settings, people={1: person})
    assert shop.reasons(NOW) == [OPEN]
    assert shop.reasons(NOW + HOUR) == [SEND]


def _start(at: datetime, checkout: str) -> Told:
    return Told(at, "checkout_started", checkout_id=checkout)


@pytest.mark.parametrize(
    ("setting", "campaign", "age", "expected"),
    [
        ("3d", None, 3 * DAY, SEND),
        ("3d", None, 3 * DAY - SECOND, ("hold", "cool_down")),
        ("3d", None, -SECOND, SEND),
        ("3d", "0", DAY, SEND),
        ("0s", "3d", DAY, ("hold", "cool_down")),
        ("0s", None, DAY, SEND),
    ],
)
def test_cool_down_after_a_purchase(
    store: Store, setting: str, campaign: str | None, age: timedelta, expected: tuple[str, str]
) -> None:
    person = buyer(NOW)
    person.orders.append(Order(NOW - age, [Line("mug")]))
    words = {"cool_down": f"{{after_purchase: {campaign}}}"} if campaign else {}
    assert decide(store, person, Settings(cool_down={"after_purchase": setting}), **words) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order(NOW - DAY, [Line("mug", amount=0)]), SEND),  # a present is no purchase
        (Order(NOW - DAY, [Line("mug")], paid=False), SEND),
        (Order(NOW - DAY, [Line("mug", refunded_at=NOW - DAY / 2)]), ("hold", "cool_down")),
    ],
)
def test_what_is_a_purchase(store: Store, order: Order, expected: tuple[str, str]) -> None:
    person = buyer(NOW)
    person.orders.append(order)
    assert decide(store, person, Settings(cool_down={"after_purchase": "3d"})) == expected


def test_a_claim_no_fact_proves_holds_the_mail(store: Store) -> None:
    claims = {("plain", "one"): (Consumed(product="guide"),)}
    shop = Shop(store, [campaign_text()], claims=claims, people={1: buyer(NOW)})
    assert shop.reasons(NOW) == [("hold", "claim_unproven")]
    shop.add("consumption", customer_id=1, sku="guide", unit="c1", kind="completed", at=NOW, recorded_at=NOW)
    assert shop.reasons(NOW + DAY) == [SEND]


def test_who_had_everything_refunded_is_no_customer_any_more(store: Store) -> None:
    steps = "[{id: one, after: 2d, email: {subject: Hello, template: a.html}}]"
    person = buyer(NOW, orders=[Order(NOW - DAY, [Line("guide", refunded_at=NOW + DAY)])])
    shop = Shop(store, [campaign_text(steps=steps)], people={1: person})
    assert shop.reasons(NOW) == []
    assert shop.reasons(NOW + 2 * DAY) == [("skip", "not_a_customer")]


def test_the_cap_lets_the_higher_priority_go_and_names_it(store: Store) -> None:
    low, high = campaign_text("low", priority=10), campaign_text("high", priority=90)
    shop = Shop(store, [low, high], Settings(frequency=Frequency(max=1)), people={1: buyer(NOW)})
    assert shop.tick(NOW) == [(1, "high", "one", "send", "due"), (1, "low", "one", "hold", "frequency_cap")]
    [held] = [row for row in shop.rows("decisions") if row["verdict"] == "hold"]
    assert held["detail"] == "after high"


def test_the_cap_counts_a_span_that_ends_now(store: Store) -> None:
    first, second = campaign_text("first"), campaign_text("second", priority=10)
    settings = Settings(frequency=Frequency(max=1, per=timedelta(days=7)))
    shop = Shop(store, [first, second], settings, people={1: buyer(NOW)})
    shop.tick(NOW)
    assert shop.reasons(NOW + 7 * DAY - SECOND) == [("hold", "frequency_cap")]
    assert shop.reasons(NOW + 7 * DAY) == [SEND]


def test_a_held_out_mail_takes_the_slot_as_the_mail_would(store: Store) -> None:
    first, second = campaign_text("first", holdout="100%"), campaign_text("second", priority=10)
    shop = Shop(store, [first, second], Settings(frequency=Frequency(max=1)), people={1: buyer(NOW)})
    assert shop.reasons(NOW) == [("skip", "held_out"), ("hold", "frequency_cap")]
    assert [row["status"] for row in shop.rows("messages")] == ["held_out"]


def test_policies_stand_in_a_fixed_order() -> None:
    assert [policy.reason.value for policy in POLICIES] == [
        "paused",
        "not_a_customer",
        "no_address",
        "suppressed",
        "no_consent",
        "owns_offer",
        "refused_lately",
        "open_transaction",
        "cool_down",
        "claim_unproven",
    ]
    assert [contest.reason.value for contest in CONTESTS] == ["another_offer"]
    assert [limit.reason.value for limit in LIMITS] == ["minimum_gap", "frequency_cap"]
