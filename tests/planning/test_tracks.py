"""The two tracks: front-end runs live inside a transaction, and neither track counts for the other."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.settings.model import Settings
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Consent, Line, Order, Person, Told

MINUTE = timedelta(minutes=1)
MAIL = "email: {subject: Hello, template: a.html}"
TWO = f"[{{id: one, after: 5m, {MAIL}}}, {{id: two, after: 20m, {MAIL}}}]"


def front(name: str = "front", **more: Any) -> str:
    words = {"track": "front-end", "steps": TWO, "audience": "{bought: {product: guide}}"}
    return campaign_text(name, **(words | more))


def at_checkout(**more: Any) -> Person:
    """Somebody who buys the guide right now."""
    return buyer(NOW, orders=[Order(NOW, [Line("guide")], opens=True)], **more)


def shop_of(
    store: Store, *campaigns: str, people: Any = None, closes: datetime | None = None, **more: Any
) -> Shop:
    """A shop where customer 1 has a transaction open since NOW, for an hour."""
    shop = Shop(store, list(campaigns), Settings(**more), people=people or {1: at_checkout()})
    close(shop, closes or NOW + 60 * MINUTE)
    return shop


def close(shop: Shop, at: datetime, number: int = 1) -> None:
    """The transaction closes at another time, as a late fact tells it."""
    with shop.store.writing() as connection:
        table = shop_table("transactions")
        connection.execute(table.update().where(table.c.number == number).values(closes_at=at))
    touch(shop)


def touch(shop: Shop) -> None:
    """An import has written of customer 1."""
    touched = len(shop.rows("changes")) + 1
    shop.add("changes", customer_id=1, change_id=touched)


def shop_table(name: str) -> Any:
    from engine.store import tables

    return tables.metadata.tables[name]


def runs(shop: Shop) -> list[tuple[str, str]]:
    return [(row["status"], row["exit_reason"]) for row in shop.rows("enrollments")]


def test_a_front_end_sequence_runs_in_minutes_from_the_opening(store: Store) -> None:
    shop = shop_of(store, front())
    assert shop.reasons(NOW + MINUTE) == []
    assert [row["entered_at"] for row in shop.rows("enrollments")] == [NOW]
    assert shop.tick(NOW + 5 * MINUTE) == [(1, "front", "one", "send", "due")]
    assert shop.reasons(NOW + 24 * MINUTE) == []
    assert shop.tick(NOW + 25 * MINUTE) == [(1, "front", "two", "send", "due")]
    assert [(m["track"], m["closes_at"]) for m in shop.rows("messages")] == [
        ("front-end", NOW + 60 * MINUTE)
    ] * 2
    assert runs(shop) == [("finished", "")]


def test_it_stops_when_the_transaction_closes(store: Store) -> None:
    shop = shop_of(store, front())
    assert shop.reasons(NOW + 5 * MINUTE) == [("send", "due")]
    close(shop, NOW + 10 * MINUTE)
    assert shop.reasons(NOW + 11 * MINUTE) == [("skip", "transaction_closed")]
    assert runs(shop) == [("exited", "transaction_closed")]
    assert shop.reasons(NOW + 30 * MINUTE) == []


def test_it_stops_by_the_clock_with_no_step_due_and_no_fact(store: Store) -> None:
    """The daemon was away when the step was due that comes last."""
    late = f"[{{id: one, after: 5m, {MAIL}}}, {{id: two, after: 54m, {MAIL}}}]"
    shop = shop_of(store, front(steps=late))
    assert shop.reasons(NOW + 10 * MINUTE) == [("send", "due")]  # the next one would be due after the close
    assert shop.reasons(NOW + 30 * MINUTE) == []
    assert shop.reasons(NOW + 60 * MINUTE) == [("skip", "transaction_closed")]
    assert runs(shop) == [("exited", "transaction_closed")]


def test_a_step_that_is_due_at_the_very_close_does_not_go(store: Store) -> None:
    shop = shop_of(store, front(), closes=NOW + 25 * MINUTE)
    assert shop.reasons(NOW + 5 * MINUTE) == [("send", "due")]
    assert shop.reasons(NOW + 25 * MINUTE) == [("skip", "transaction_closed")]


def test_a_mail_that_did_not_leave_in_time_is_cancelled(store: Store) -> None:
    shop = shop_of(store, front())
    shop.sends = False
    assert shop.reasons(NOW + 5 * MINUTE) == [("send", "due")]
    close(shop, NOW + 6 * MINUTE)
    assert ("skip", "transaction_closed") in shop.reasons(NOW + 7 * MINUTE)
    assert [m["status"] for m in shop.rows("messages")] == ["cancelled"]


def test_nobody_begins_outside_a_transaction(store: Store) -> None:
    shop = shop_of(store, front(), closes=NOW + 10 * MINUTE)
    assert shop.reasons(NOW + 10 * MINUTE) == []
    assert runs(shop) == []


def test_who_comes_into_the_audience_later_begins_then(store: Store) -> None:
    asked = "{all: [{bought: {product: guide}}, {consumed: {product: course}}]}"
    shop = shop_of(store, front(audience=asked))
    assert shop.reasons(NOW + 6 * MINUTE) == []
    shop.add("consumption", customer_id=1, sku="course", unit="", kind="completed", at=NOW, recorded_at=NOW)
    touch(shop)
    assert shop.reasons(NOW + 7 * MINUTE) == [("send", "due")]


@pytest.mark.parametrize(
    ("enter", "expected"),
    [
        ("once", []),
        ("every_time", [("send", "due")]),
        ("{again_after: 2h}", []),
        ("{again_after: 90m}", [("send", "due")]),
    ],
)
def test_each_transaction_begins_one_run_as_often_as_enter_says(
    store: Store, enter: str, expected: list[tuple[str, str]]
) -> None:
    shop = shop_of(store, front(enter=enter), closes=NOW + 20 * MINUTE)
    assert shop.reasons(NOW + 5 * MINUTE) == [("send", "due")]
    again = NOW + 90 * MINUTE
    times = {"opened_at": again, "last_addition_at": again, "closes_at": again + 60 * MINUTE}
    shop.add("transactions", customer_id=1, first_order_ref="o9", number=2, **times)
    touch(shop)
    found = [each for each in shop.reasons(again + 5 * MINUTE) if each[1] != "transaction_closed"]
    assert found == expected
    assert shop.reasons(again + 6 * MINUTE) == []


def test_a_run_of_a_transaction_just_closed_is_in_nobodys_way(store: Store) -> None:
    shop = shop_of(store, front(enter="every_time"))
    assert shop.reasons(NOW + 5 * MINUTE) == [("send", "due")]
    close(shop, NOW + 10 * MINUTE)
    again = NOW + 12 * MINUTE
    times = {"opened_at": again, "last_addition_at": again, "closes_at": again + 60 * MINUTE}
    shop.add("transactions", customer_id=1, first_order_ref="o9", number=2, **times)
    assert sorted(shop.reasons(again + 5 * MINUTE)) == [("send", "due"), ("skip", "transaction_closed")]


def test_the_back_end_waits_while_the_front_end_speaks(store: Store) -> None:
    shop = shop_of(store, front(), campaign_text("back"))
    assert shop.tick(NOW + 5 * MINUTE) == [
        (1, "back", "one", "hold", "open_transaction"),
        (1, "front", "one", "send", "due"),
    ]
    quiet = NOW + 60 * MINUTE + DAY
    assert ("hold", "open_transaction") in shop.reasons(quiet - MINUTE)
    assert shop.reasons(quiet) == [("send", "due")]


@pytest.mark.parametrize(
    ("settings", "front_goes", "back_goes"),
    [
        ({"frequency": [{"max": 1, "per": "9d"}]}, "due", "due"),
        ({"frequency": [{"max": 1, "per": "9d", "track": "front-end"}]}, "frequency_cap", "due"),
        ({"frequency": [], "minimum_gap": "9d"}, "due", "due"),
        ({"frequency": [], "front_end": {"minimum_gap": "30m"}}, "minimum_gap", "due"),
    ],
)
def test_caps_and_gaps_of_one_track_do_not_count_for_the_other(
    store: Store, settings: Any, front_goes: str, back_goes: str
) -> None:
    shop = shop_of(store, front(), campaign_text("back"), **settings)
    assert ("send", "due") in shop.reasons(NOW + 5 * MINUTE)
    [second] = [each for each in shop.tick(NOW + 25 * MINUTE) if each[1] == "front"]
    assert second[-1] == front_goes
    [back] = [each for each in shop.tick(NOW + 2 * DAY) if each[1] == "back"]
    assert back[-1] == back_goes


def test_an_offer_of_one_track_does_not_hold_that_of_the_other(store: Store) -> None:
    """The same product in both, with copy of their own."""
    shop = shop_of(
        store, front(offers="[mug]"), front("rival", offers="[towel]"), campaign_text("back", offers="[mug]")
    )
    decided = shop.tick(NOW + 5 * MINUTE)
    assert decided == [
        (1, "back", "one", "hold", "open_transaction"),
        (1, "front", "one", "send", "due"),
        (1, "rival", "one", "hold", "another_offer"),
    ]


def test_what_was_refused_a_moment_ago_may_be_offered_again_in_the_front_end(store: Store) -> None:
    """A downsell: only the back end waits."""
    shop = shop_of(store, front(offers="[mug]"), cool_down={"after_purchase": "3d"})
    told = {"what": "offer_refused", "sku": "mug", "stage": "upsell", "checkout_id": ""}
    shop.add("funnel_events", customer_id=1, at=NOW, recorded_at=NOW, **told)
    assert shop.reasons(NOW + 5 * MINUTE) == [("send", "due")]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"consents": []}, ("skip", "no_consent")),
        ({"email": None}, ("skip", "no_address")),
        ({"orders": [Order(NOW, [Line("guide"), Line("mug")], opens=True)]}, ("skip", "owns_offer")),
    ],
)
def test_what_binds_both_tracks(store: Store, facts: Any, expected: tuple[str, str]) -> None:
    person = Person(
        **(
            {
                "known_at": NOW - DAY,
                "orders": [Order(NOW, [Line("guide")], opens=True)],
                "consents": [Consent(NOW - DAY)],
                "email": "ann@example.com",
            }
            | facts
        )
    )
    shop = shop_of(store, front(offers="[mug]"), people={1: person})
    assert shop.reasons(NOW + 5 * MINUTE) == [expected]


def test_preview_is_run_for_the_front_end(store: Store) -> None:
    shop = shop_of(store, front(), campaign_text("back"))
    for minutes in (1, 5, 25, 60, 61):
        now = NOW + minutes * MINUTE
        assert shop.preview(now) == shop.tick(now)


def test_a_running_campaign_that_becomes_front_end_leaves_who_has_no_transaction_open(store: Store) -> None:
    steps = TWO.replace("5m", "0").replace("20m", "50m")
    shop = shop_of(store, campaign_text("plain", steps=steps), closes=NOW - DAY)
    with shop.store.writing() as connection:
        table = shop_table("transactions")
        connection.execute(table.update().values(opened_at=NOW - 2 * DAY, last_addition_at=NOW - 2 * DAY))
    assert shop.reasons(NOW) == [("send", "due")]
    shop.campaigns = [campaign_text("plain", track="front-end", steps=steps)]
    assert shop.reasons(NOW + MINUTE) == [("skip", "transaction_closed")]
    assert runs(shop) == [("exited", "transaction_closed")]


def test_a_running_campaign_that_becomes_back_end_goes_on_as_one(store: Store) -> None:
    shop = shop_of(store, front())
    assert shop.reasons(NOW + 5 * MINUTE) == [("send", "due")]
    shop.campaigns = [front(track="back-end")]
    assert shop.reasons(NOW + 25 * MINUTE) == [("hold", "open_transaction")]
    assert shop.reasons(NOW + 60 * MINUTE + DAY) == [("send", "due")]


def test_another_time_after_a_refusal_counts_at_once(store: Store) -> None:
    person = buyer(NOW, funnel=[Told(NOW - 2 * DAY, "offer_refused", "mug")])
    shop = Shop(store, [campaign_text(offers="[mug]")], people={1: person})
    assert shop.reasons(NOW) == [("hold", "refused_lately")]
    shop.campaigns = [campaign_text(offers="[mug]", offers_again_after="2d")]
    assert shop.reasons(NOW) == [("send", "due")]
