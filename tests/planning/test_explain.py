"""What a support person reads about one customer: the one sentence that sums it up."""

from datetime import datetime

import pytest
from sqlalchemy import update

from engine.planning.explain import explain_campaign
from engine.planning.plan import make_plan
from engine.planning.state import imagined
from engine.settings.model import Settings
from engine.store import tables
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Line, Order

TWO_STEPS = (
    "[{id: one, after: 0, email: {subject: A, template: a.html}},"
    " {id: two, after: 3d, email: {subject: B, template: b.html}}]"
)


def summary(shop: Shop, now: datetime) -> str:
    with shop.store.reading() as connection:
        state = imagined(connection, 1)
        desk = make_plan(connection, shop.book, state, now, only=1)
        [campaign] = shop.book.campaigns
        return explain_campaign(connection, shop.book, state, desk, campaign, (1, now)).summary


def one(store: Store, **campaign: object) -> Shop:
    return Shop(store, [campaign_text(**campaign)], people={1: buyer(NOW)})


def test_a_step_is_due(store: Store) -> None:
    assert summary(one(store), NOW) == (
        "is mailed now at the step 'one': the step is due and nothing stands against it"
    )


def test_before_the_first_step_is_due(store: Store) -> None:
    shop = one(store, steps="[{id: one, after: 2d, email: {subject: A, template: a.html}}]")
    assert summary(shop, NOW) == "enters now; the step 'one' is due 2026-03-12 09:00Z"
    shop.tick(NOW)
    assert summary(shop, NOW + DAY) == "waits: the step 'one' is due 2026-03-12 09:00Z"


def test_between_two_steps(store: Store) -> None:
    shop = one(store, steps=TWO_STEPS)
    shop.tick(NOW)
    assert summary(shop, NOW + DAY) == (
        "waits: the step 'two' is due 2026-03-13 09:00Z; the step 'one' was mailed 2026-03-10 09:00Z"
    )


def test_finished(store: Store) -> None:
    shop = one(store)
    shop.tick(NOW)
    assert summary(shop, NOW + DAY) == (
        "has been through the campaign; the step 'one' was mailed 2026-03-10 09:00Z"
    )


def test_finished_and_outside_by_now(store: Store) -> None:
    shop = one(store, audience="{bought: {product: guide, within: 11d}}")
    shop.tick(NOW)
    assert summary(shop, NOW + 2 * DAY) == (
        "has been through the campaign; the step 'one' was mailed 2026-03-10 09:00Z; is not in the audience: "
        "this does not hold: bought The Guide at most 11 days ago (0 orders in that time, last 2026-02-28 (12 days ago))"
    )


def test_held_out(store: Store) -> None:
    shop = one(store, holdout="100%", steps=TWO_STEPS)
    assert summary(shop, NOW) == (
        "is passed over at the step 'one': in the holdout: counted as if mailed, but not mailed"
    )
    shop.tick(NOW)
    assert summary(shop, NOW + DAY) == (
        "waits: the step 'two' is due 2026-03-13 09:00Z; the step 'one' was passed over 2026-03-10 09:00Z: "
        "in the holdout: counted as if mailed, but not mailed"
    )
    shop.tick(NOW + 3 * DAY)
    assert summary(shop, NOW + 4 * DAY) == (
        "has been through the campaign; the step 'two' was passed over 2026-03-13 09:00Z: "
        "in the holdout: counted as if mailed, but not mailed"
    )


def test_at_the_goal(store: Store) -> None:
    shop = one(store, goal="{bought: {product: mug}}", steps=TWO_STEPS)
    shop.tick(NOW)
    line = {"order_ref": "x", "line_ref": "1", "sku": "mug", "quantity": 1, "amount": 1500}
    shop.add("order_lines", customer_id=1, at=NOW + DAY, recorded_at=NOW, **line)
    shop.tick(NOW + 2 * DAY)
    assert summary(shop, NOW + 4 * DAY) == (
        "left the campaign 2026-03-12 09:00Z: the goal was reached, so the run ends"
    )


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        ("cancelled", "suppressed", "was cancelled: the address is suppressed"),
        ("cancelled", "not sent: no_consent", "was cancelled: there is no consent for the topic"),
        ("rejected", "no_address: none is known", "could not be sent: no_address: none is known"),
        ("unknown", "TimeoutError: ", "may have left or not: TimeoutError: "),
        ("sending", None, "is on its way"),
    ],
)
def test_what_became_of_the_mail(store: Store, status: str, error: str | None, told: str) -> None:
    shop = one(store)
    shop.tick(NOW)
    with store.writing() as connection:
        connection.execute(update(tables.messages).values(status=status, error=error))
    assert summary(shop, NOW + DAY) == f"is at the end of the campaign; the mail of the step 'one' {told}"


def test_a_mail_that_waits_is_no_mail_that_went(store: Store) -> None:
    shop = one(store)
    shop.sends = False
    shop.tick(NOW)
    stuck = {"due_at": NOW + 2 * DAY, "error": "render_failed: a.html:1"}
    with store.writing() as connection:
        connection.execute(update(tables.messages).values(stuck))
    assert summary(shop, NOW + DAY) == (
        "is at the end of the campaign; the mail of the step 'one' waits to leave: render_failed: a.html:1"
    )


def test_no_customer_any_more(store: Store) -> None:
    refunded = Order(NOW - 10 * DAY, [Line("guide", refunded_at=NOW - DAY)])
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW, orders=[refunded])})
    assert summary(shop, NOW) == (
        "cannot enter: no paid order is left, and mail of campaigns goes to customers only"
    )


def test_who_is_held_by_a_cap_is_told_until_when(store: Store) -> None:
    shop = one(store, steps=TWO_STEPS)
    shop.settings = Settings(frequency={"max": 1, "per": "5d"})
    shop.tick(NOW)
    assert summary(shop, NOW + 3 * DAY) == (
        "is held at the step 'two': the frequency cap is reached (1 mail in 5d);"
        " until 2026-03-15 09:00Z; given up 2026-04-12 09:00Z"
    )


def test_who_has_just_bought_is_told_until_when(store: Store) -> None:
    shop = one(store, cool_down="{after_purchase: 12d}", hold="{at_most: forever}")
    assert summary(shop, NOW) == (
        "is held at the step 'one': bought something only just now; until 2026-03-12 09:00Z"
    )
