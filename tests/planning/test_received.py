"""Campaigns that ask what another one sent: in a run, and in the days that a forecast imagines."""

from datetime import timedelta

from engine.delivery.outbox import Outbox, Outcome
from engine.delivery.states import Status
from engine.planning.forecast import assume_sent, forecast
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.readout import sendings
from engine.planning.state import imagined
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text

FIRST = campaign_text("first", priority="90")
AFTERWARDS = campaign_text("afterwards", audience="{received: {campaign: first, older_than: 1d}}")
UNLESS = campaign_text(
    "unless",
    steps="[{id: one, after: 2d, when: {not: {received: {campaign: first}}},"
    " email: {subject: A, template: a.html}}]",
)


def test_a_campaign_can_follow_what_another_one_sent(store: Store) -> None:
    shop = Shop(store, [FIRST, AFTERWARDS], people={1: buyer(NOW)})
    assert shop.tick(NOW) == [(1, "first", "one", "send", "due")]
    assert shop.tick(NOW + DAY - DAY / 1000) == []
    assert shop.tick(NOW + 2 * DAY) == [(1, "afterwards", "one", "send", "due")]


def test_who_is_held_out_of_the_first_is_not_in_the_second(store: Store) -> None:
    shop = Shop(store, [campaign_text("first", holdout="99.9999%"), AFTERWARDS], people={1: buyer(NOW)})
    assert shop.tick(NOW) == [(1, "first", "one", "skip", "held_out")]
    assert shop.tick(NOW + 9 * DAY) == []


def test_what_is_planned_and_has_not_left_was_not_received(store: Store) -> None:
    shop = Shop(store, [FIRST, AFTERWARDS], people={1: buyer(NOW)}, sends=False)
    shop.tick(NOW)
    assert ("afterwards", "one") not in {answer[1:3] for answer in shop.tick(NOW + 2 * DAY)}


def test_a_forecast_counts_the_mails_it_imagines(store: Store) -> None:
    shop = Shop(store, [FIRST, AFTERWARDS, UNLESS], people={1: buyer(NOW)})
    with store.reading() as connection:
        state = imagined(connection)
        desk = make_plan(connection, shop.book, state, NOW)
        merge(connection, shop.book, desk, state, NOW)
        assume_sent(connection, state)
        told = [
            (at - NOW, sending.key.campaign_id)
            for at, later in forecast(connection, shop.book, state, NOW, days=5)
            for sending in sendings(connection, later)
        ]
    assert told == [(DAY, "afterwards")]
    assert shop.rows("messages") == []


def test_the_runs_of_those_days_decide_the_same(store: Store) -> None:
    shop = Shop(store, [FIRST, AFTERWARDS, UNLESS], people={1: buyer(NOW)})
    decided = [answer[1:] for day in range(6) for answer in shop.tick(NOW + day * DAY)]
    assert decided == [
        ("first", "one", "send", "due"),
        ("afterwards", "one", "send", "due"),
        ("unless", "one", "skip", "when_not_met"),
    ]


def test_a_mail_that_leaves_long_after_its_plan_is_still_noticed(store: Store) -> None:
    """Its own time lies before the last look: only the change queue tells of it."""
    at_once = campaign_text("at-once", audience="{received: {campaign: first}}")
    shop = Shop(store, [FIRST, at_once], people={1: buyer(NOW)}, sends=False)
    shop.tick(NOW)
    assert shop.tick(NOW + DAY / 24)[-1][1] == "first", "it is still on its way"
    outbox = Outbox(store, "late", timedelta(minutes=1), "folder")
    claimed = outbox.claim(outbox.due(NOW, 10), NOW)
    outbox.settle({attempt: Outcome(Status.ACCEPTED) for attempt in claimed}, NOW)
    assert shop.tick(NOW + DAY / 12) == [(1, "at-once", "one", "send", "due")]
