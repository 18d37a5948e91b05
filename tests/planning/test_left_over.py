"""Mails that were planned and did not leave: decided anew at the next run, for much may have happened."""

from typing import Any

import pytest

from engine.settings.model import Settings
from engine.settings.policies import Frequency
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text

LATER = NOW + 2 * DAY


def planned(store: Store, **campaign: Any) -> Shop:
    """A shop whose one mail was planned two days ago and has not left."""
    shop = Shop(store, [campaign_text(**campaign)], people={1: buyer(NOW)}, sends=False)
    assert shop.reasons(NOW) == [("send", "due")]
    return shop


def mail(shop: Shop) -> dict[str, Any]:
    [row] = shop.rows("messages")
    return row


def test_where_nothing_happened_it_goes_as_it_was_planned(store: Store) -> None:
    shop = planned(store)
    assert shop.preview(LATER) == [(1, "plain", "one", "send", "due")]
    assert shop.reasons(LATER) == [("send", "due")]
    assert (mail(shop)["status"], mail(shop)["planned_at"], mail(shop)["slot_at"]) == (
        "scheduled",
        NOW,
        LATER,
    )


def test_who_opted_out_meanwhile_is_not_written_to(store: Store) -> None:
    shop = planned(store)
    shop.add("consents", customer_id=1, topic="marketing", at=NOW + DAY, granted=False, recorded_at=NOW)
    assert shop.reasons(LATER) == [("skip", "no_consent")]
    assert (mail(shop)["status"], mail(shop)["error"]) == ("cancelled", "not sent: no_consent")


def test_who_bought_the_offer_meanwhile_is_not_offered_it(store: Store) -> None:
    shop = planned(store, offers="[mug]")
    line = {"order_ref": "x", "line_ref": "1", "sku": "mug", "quantity": 1, "amount": 1500}
    shop.add("order_lines", customer_id=1, at=NOW + DAY, recorded_at=NOW, **line)
    assert shop.reasons(LATER) == [("skip", "owns_offer")]


def test_who_is_in_checkout_waits_an_hour_and_is_asked_again(store: Store) -> None:
    shop = planned(store)
    money = {"amount": 700, "charged": 700, "currency": "USD", "paid": False, "digest": ""}
    shop.add("orders", customer_id=1, order_ref="x", at=LATER, recorded_at=LATER, **money)
    assert shop.reasons(LATER) == [("hold", "open_transaction")]
    assert (mail(shop)["status"], mail(shop)["due_at"]) == ("scheduled", LATER + DAY / 24)
    assert shop.reasons(LATER + DAY) == [("send", "due")]


@pytest.mark.parametrize(
    "words", [{"goal": "{bought: {product: mug}}"}, {"while_": "{bought: {product: mug, at_most: 0}}"}]
)
def test_what_ends_the_run_ends_the_mail_too(store: Store, words: dict[str, str]) -> None:
    steps = "[{id: one, after: 0, email: {subject: A, template: a.html}}, {id: two, after: 9d, email: {subject: B, template: b.html}}]"
    shop = planned(store, steps=steps, **words)
    line = {"order_ref": "x", "line_ref": "1", "sku": "mug", "quantity": 1, "amount": 1500}
    shop.add("order_lines", customer_id=1, at=NOW + DAY, recorded_at=NOW, **line)
    shop.tick(LATER)
    assert mail(shop)["status"] == "cancelled"
    assert [run["status"] for run in shop.rows("enrollments")] == ["exited"]


def test_a_mail_that_slipped_takes_its_slot_anew(store: Store) -> None:
    first, second = campaign_text("first", priority=90), campaign_text("second", audience="{ordered: {}}")
    settings = Settings(frequency=Frequency(max=1, per=7 * DAY))
    shop = Shop(store, [first], settings, people={1: buyer(NOW)}, sends=False)
    shop.tick(NOW)
    shop.campaigns = [first, second]
    week_later = NOW + 8 * DAY
    assert shop.tick(week_later) == [
        (1, "first", "one", "send", "due"),
        (1, "second", "one", "hold", "frequency_cap"),
    ]
    shop.sends = True
    shop.tick(week_later)
    assert shop.reasons(week_later + DAY) == [("hold", "frequency_cap")], "its slot counts from when it went"
    assert shop.reasons(week_later + 7 * DAY) == [("send", "due")]


def test_the_mails_of_a_campaign_with_a_mistake_wait_for_it(store: Store) -> None:
    shop = planned(store)
    text, shop.campaigns = shop.campaigns, []
    assert shop.tick(LATER) == []
    assert mail(shop)["status"] == "scheduled"
    shop.campaigns = text
    assert shop.reasons(LATER) == [("send", "due")]


def test_an_unpaid_order_is_an_open_checkout(store: Store) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW)})
    money = {"amount": 700, "charged": 700, "currency": "USD", "paid": False, "digest": ""}
    shop.add("orders", customer_id=1, order_ref="x", at=NOW - DAY / 2, recorded_at=NOW, **money)
    assert shop.reasons(NOW + DAY / 2 - DAY / 86_400) == [("hold", "open_transaction")]
    assert shop.reasons(NOW + DAY / 2) == [("send", "due")]  # checkout.expires


def test_what_is_added_to_a_transaction_later_does_not_count_yet(store: Store) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW)})
    times = {"opened_at": NOW - 9 * DAY, "closes_at": NOW - 9 * DAY, "last_addition_at": NOW + DAY}
    shop.add("transactions", customer_id=1, first_order_ref="o0", number=1, **times)
    assert shop.preview(NOW) == [(1, "plain", "one", "send", "due")]
