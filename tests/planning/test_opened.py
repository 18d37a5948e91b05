"""Campaigns that ask who opened or clicked what another one sent."""

import json
from typing import Any

from sqlalchemy import update

from engine.delivery.receivers.applying import apply_events
from engine.facts.receiving import inbound
from engine.planning.keys import MailKey
from engine.store.connect import Store
from engine.store.tables import messages
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text

FIRST = campaign_text("first")
MAIL = MailKey(1, "first", "one", 1).message_id
READERS = campaign_text("readers", audience="{opened: {campaign: first}}")
UNLESS = campaign_text(
    "unless",
    audience="{received: {campaign: first}}",
    steps="[{id: one, after: 2d, when: {not: {clicked: {campaign: first, step: one}}},"
    " email: {subject: A, template: a.html}}]",
)


def tell(shop: Shop, name: str, **said: Any) -> None:
    """SendGrid tells it late: it happened before the last look."""
    told = {
        "event": name,
        "sg_event_id": name,
        "timestamp": int(NOW.timestamp()) + 60,
        "email": "ann@example.com",
    }
    ours = {"aftersale_customer": "1", "aftersale_message": MAIL}
    with shop.store.writing() as connection:
        connection.execute(update(messages).where(messages.c.campaign_id == "first").values(message_id=MAIL))
    inbound.keep(shop.store, "sendgrid", "sg_event_id", json.dumps([told | ours | said]), NOW + DAY)
    apply_events(shop.store, 5, NOW + DAY)


def test_who_opened_is_noticed_though_it_was_told_late(store: Store) -> None:
    shop = Shop(store, [FIRST, READERS], people={1: buyer(NOW)})
    assert shop.tick(NOW) == [(1, "first", "one", "send", "due")]
    assert shop.tick(NOW + DAY) == []
    tell(shop, "open", sg_machine_open=True)
    assert shop.tick(NOW + 1.1 * DAY) == [], "no person opened it"
    tell(shop, "open", sg_event_id="another")
    assert shop.tick(NOW + 1.2 * DAY) == [(1, "readers", "one", "send", "due")]


def test_who_clicked_is_not_reminded(store: Store) -> None:
    shop = Shop(store, [FIRST, UNLESS], people={1: buyer(NOW)})
    shop.tick(NOW)
    shop.tick(NOW + DAY / 24)
    tell(shop, "click")
    assert shop.tick(NOW + 3 * DAY) == [(1, "unless", "one", "skip", "when_not_met")]
