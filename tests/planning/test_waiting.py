"""What is held waits, and is given up in the end: passed over, or the run ends with it."""

from datetime import timedelta
from typing import Any

import pytest

from engine.rules.conditions.consumed import Consumed
from engine.settings.model import Settings
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text

SECOND = timedelta(seconds=1)
HELD, EXPIRED = ("hold", "claim_unproven"), ("skip", "expired")
CLAIMS = {("plain", "one"): (Consumed(product="guide"),)}


def steps(**hold: str) -> str:
    words = ", ".join(f"{key}: {value}" for key, value in hold.items())
    own = f", hold: {{{words}}}" if hold else ""
    return (
        f"[{{id: one, after: 0, email: {{subject: A, template: a.html}}{own}}},"
        " {id: two, after: 1d, email: {subject: B, template: b.html}}]"
    )


def waiting(store: Store, settings: Settings | None = None, **words: Any) -> Shop:
    """A shop whose first mail says what nobody has done yet."""
    text = campaign_text(**{"steps": steps(), **words})
    return Shop(store, [text], settings or Settings(), claims=CLAIMS, people={1: buyer(NOW)})


def run(shop: Shop) -> tuple[str, str, str]:
    [row] = shop.rows("enrollments")
    return row["status"], row["step_id"], row["exit_reason"]


@pytest.mark.parametrize(
    ("settings", "campaign", "step", "waits"),
    [
        ({}, None, {}, 30 * DAY),
        ({"at_most": "2d"}, None, {}, 2 * DAY),
        ({"at_most": "2d"}, "{at_most: 3d}", {}, 3 * DAY),
        ({"at_most": "2d"}, "{at_most: 3d}", {"at_most": "4d"}, 4 * DAY),
        ({"at_most": "2d"}, "{then: exit}", {"then": "skip"}, 2 * DAY),
    ],
)
def test_it_waits_as_long_as_the_step_its_campaign_or_the_settings_say(
    store: Store, settings: dict[str, str], campaign: str | None, step: dict[str, str], waits: timedelta
) -> None:
    words = {"hold": campaign} if campaign else {}
    shop = waiting(store, Settings(hold=settings), steps=steps(**step), **words)
    assert shop.reasons(NOW) == [HELD]
    assert shop.reasons(NOW + waits - SECOND) == [HELD]
    assert shop.reasons(NOW + waits) == [EXPIRED]
    assert run(shop) == ("active", "two", "")
    [given_up] = [row for row in shop.rows("decisions") if row["step_id"] == "one"]
    assert given_up["detail"] == "the mail says something that no fact proves"


def test_then_the_run_may_end(store: Store) -> None:
    shop = waiting(store, hold="{at_most: 1d, then: exit}")
    assert shop.reasons(NOW) == [HELD]
    assert shop.reasons(NOW + DAY) == [EXPIRED]
    assert run(shop) == ("exited", "one", "expired")


def test_it_may_wait_forever(store: Store) -> None:
    shop = waiting(store, hold="{at_most: forever}")
    assert shop.reasons(NOW) == [HELD]
    assert shop.reasons(NOW + 4000 * DAY) == [HELD]


def test_it_may_wait_for_nothing(store: Store) -> None:
    assert waiting(store, hold="{at_most: 0}").reasons(NOW) == [EXPIRED]


def test_what_may_go_is_not_given_up_however_late(store: Store) -> None:
    shop = waiting(store, hold="{at_most: 1d}")
    assert shop.reasons(NOW) == [HELD]
    shop.add("consumption", customer_id=1, sku="guide", unit="c1", kind="completed", at=NOW, recorded_at=NOW)
    assert shop.reasons(NOW + 9 * DAY) == [("send", "due")]


def test_a_mail_that_was_planned_and_waits_since_is_cancelled(store: Store) -> None:
    shop = waiting(store, hold="{at_most: 1d}")
    shop.claims, shop.sends = {}, False
    assert shop.reasons(NOW) == [("send", "due")]
    shop.claims = CLAIMS
    assert shop.reasons(NOW + DAY - SECOND) == [HELD]
    shop.tick(NOW + DAY + DAY / 24)
    [mail] = [row for row in shop.rows("messages") if row["step_id"] == "one"]
    assert (mail["status"], mail["error"]) == ("cancelled", "not sent: expired")
