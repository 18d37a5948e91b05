"""`on`: something that happens begins a run, each time it happens; the audience says whose."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.planning.explain import explain_campaign
from engine.planning.forecast import assume_sent, forecast
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.readout import decided, standing
from engine.planning.state import imagined
from engine.settings.model import Settings
from engine.settings.policies import Frequency
from engine.store import tables
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Change

HOUR = timedelta(hours=1)
LATER = "[{id: one, after: 1d, email: {subject: A, template: a.html}}]"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shop_on(store: Store, on: str, enter: str = "every_time", steps: str = LATER, **more: Any) -> Shop:
    """Somebody who bought the guide long ago, and a campaign that has been looked at once."""
    text = campaign_text(on=on, enter=enter, steps=steps, **more)
    chosen = Settings(shop={"timezone": "Europe/Berlin"}, frequency=Frequency(max=100))
    shop = Shop(store, [text], chosen, people={1: buyer(NOW)})
    assert shop.tick(NOW) == []
    assert shop.rows("enrollments") == [], "what happened before it was there is no occasion"
    return shop


def happens(shop: Shop, table: str, when: datetime, **row: Any) -> None:
    """A fact, as an import lands it: with the customer in the queue."""
    shop.add(table, customer_id=1, at=when, recorded_at=when, **row)
    with shop.store.writing() as connection:
        number = len(connection.execute(tables.changes.select()).all())
        connection.execute(tables.changes.insert(), {"customer_id": 1, "change_id": number + 1})


def buys(shop: Shop, when: datetime, sku: str = "mug", line: str = "1") -> None:
    row = {"order_ref": f"o-{when}", "line_ref": line, "sku": sku, "quantity": 1, "amount": 700}
    happens(shop, "order_lines", when, **row)


def entered(shop: Shop) -> list[datetime]:
    return [run["entered_at"] for run in shop.rows("enrollments")]


MUG = "{bought: {product: mug}}"


def test_each_purchase_begins_a_run_that_counts_from_it(store: Store) -> None:
    shop = shop_on(store, MUG)
    first, second = NOW + HOUR, NOW + 5 * HOUR
    buys(shop, first)
    shop.tick(NOW + 3 * HOUR)
    buys(shop, second)  # while the first run is under way
    assert shop.preview(NOW + 9 * HOUR) == shop.tick(NOW + 9 * HOUR) == []
    runs = [(run["spell"], run["entered_at"], run["due_at"]) for run in shop.rows("enrollments")]
    assert runs == [(1, first, first + DAY), (2, second, second + DAY)]
    assert [row["spell"] for row in shop.rows("membership")] == [2]
    assert shop.tick(first + DAY) == [(1, "plain", "one", "send", "due")]
    assert shop.tick(second + DAY) == [(1, "plain", "one", "send", "due")]
    assert shop.tick(second + 9 * DAY) == []


def test_several_at_once_each_begin_one(store: Store) -> None:
    shop = shop_on(store, MUG)
    times = [NOW + hours * HOUR for hours in (1, 2, 3)]
    for when in times:
        buys(shop, when)
        buys(shop, when, line="2")  # of the same order
    shop.tick(NOW + 4 * HOUR)
    assert entered(shop) == times


def test_what_is_told_late_counts_from_when_it_happened(store: Store) -> None:
    shop = shop_on(store, MUG)
    for day in range(1, 5):
        shop.tick(NOW + day * DAY)
    buys(shop, NOW + 2 * DAY)  # told only now, two days late, and twice
    now = NOW + 4 * DAY + HOUR
    assert shop.preview(now) == shop.tick(now) == [(1, "plain", "one", "send", "due")]
    assert entered(shop) == [NOW + 2 * DAY]
    buys(shop, NOW + 2 * DAY, line="again")
    assert shop.tick(now + HOUR) == []


def test_who_is_not_in_the_audience_then_never_begins_by_it(store: Store) -> None:
    shop = shop_on(store, MUG, audience="{attribute: {name: plan, is: gold}}")
    buys(shop, NOW + HOUR)
    shop.tick(NOW + 2 * HOUR)
    gold = {"name": "plan", "value": "gold"}
    happens(shop, "attributes", NOW + 3 * HOUR, **gold)
    shop.tick(NOW + 4 * HOUR)
    assert entered(shop) == []
    buys(shop, NOW + 5 * HOUR)
    shop.tick(NOW + 6 * HOUR)
    assert entered(shop) == [NOW + 5 * HOUR]


@pytest.mark.parametrize(
    ("enter", "expected"), [("once", [1]), ("every_time", [1, 3, 6, 9]), ("{again_after: 5d}", [1, 6])]
)
def test_how_often_it_begins(store: Store, enter: str, expected: list[int]) -> None:
    shop = shop_on(store, MUG, enter)
    for day in (1, 3, 6, 9):
        buys(shop, NOW + day * DAY)
        shop.tick(NOW + day * DAY + HOUR)
        shop.tick(NOW + (day + 1) * DAY + HOUR)
    assert entered(shop) == [NOW + day * DAY for day in expected]


def test_a_lesson_that_is_finished(store: Store) -> None:
    shop = shop_on(store, "{consumed: {product: guide, unit: c2}}")
    happens(shop, "consumption", NOW + HOUR, sku="guide", unit="c1", kind="completed")
    happens(shop, "consumption", NOW + 2 * HOUR, sku="guide", unit="c2", kind="started")
    happens(shop, "consumption", NOW + 3 * HOUR, sku="guide", unit="c2", kind="completed")
    shop.tick(NOW + 4 * HOUR)
    assert entered(shop) == [NOW + 3 * HOUR]


def test_a_week_before_a_renewal_though_nothing_is_written(store: Store) -> None:
    shop = shop_on(store, "{renews: {product: club, before: 7d}}")
    stands = {"subscription_ref": "s1", "sku": "club", "status": "active", "derived": False}
    happens(shop, "subscriptions", NOW + HOUR, renews_at=NOW + 20 * DAY, **stands)
    shop.tick(NOW + 2 * HOUR)
    shop.tick(NOW + 13 * DAY - HOUR)
    assert entered(shop) == []
    shop.tick(NOW + 13 * DAY + HOUR)
    assert entered(shop) == [NOW + 13 * DAY]
    # who cancelled in time is told nothing
    with store.writing() as connection:
        connection.execute(
            update(tables.subscriptions).values(renews_at=NOW + 50 * DAY, until=NOW + 40 * DAY)
        )
    shop.tick(NOW + 44 * DAY)
    assert entered(shop) == [NOW + 13 * DAY]


@pytest.mark.parametrize("on", ['{date: "2026-11-27 09:00"}', "{date: [2026-11-27 09:00, 2030-01-01 00:00]}"])
def test_a_date_is_for_everybody_in_the_audience(store: Store, on: str) -> None:
    shop = Shop(
        store,
        [campaign_text(on=on, steps=LATER)],
        Settings(shop={"timezone": "Europe/Berlin"}),
        people={1: buyer(NOW), 2: buyer(NOW, orders=[])},
    )
    moment = at("2026-11-27T08:00Z")
    shop.tick(moment - DAY)
    shop.tick(moment - timedelta(microseconds=1))
    assert entered(shop) == []
    assert shop.preview(moment) == shop.tick(moment)
    shop.tick(moment + HOUR)
    assert [(run["customer_id"], run["entered_at"]) for run in shop.rows("enrollments")] == [(1, moment)]


def test_a_cron_line_begins_again_and_again_and_what_was_missed_once(store: Store) -> None:
    on = 'cron: "0 9 * * 1-2"'
    text = campaign_text(on=f"{{{on}}}", enter="every_time", steps=LATER)
    shop = Shop(
        store,
        [text],
        Settings(shop={"timezone": "Europe/Berlin"}, frequency=Frequency(max=100)),
        people={1: buyer(NOW)},
    )
    sunday = at("2026-10-18T12:00Z")
    with store.writing() as connection:
        for table in (tables.orders, tables.order_lines, tables.customers, tables.consents):
            column = table.c.known_at if table is tables.customers else table.c.at
            connection.execute(update(table).values({column: sunday - 90 * DAY}))
    for hours in range(0, 24 * 9, 6):
        shop.tick(sunday + hours * HOUR)
    mondays = ["2026-10-19T07:00Z", "2026-10-20T07:00Z", "2026-10-26T08:00Z"]  # the clocks went back
    assert entered(shop)[:3] == list(map(at, mondays))
    before = len(entered(shop))
    shop.tick(sunday + 60 * DAY)  # weeks of silence: once, not each time that was missed
    assert len(entered(shop)) == before + 1
    shop.tick(sunday + 10 * DAY)  # a clock that goes back
    shop.tick(sunday + 60 * DAY)
    assert len(entered(shop)) == before + 1


NIGHTS = [  # the line, the zone, noon before, and when a run begins: of times shown twice, and left out
    ("0 1 * * *", "Europe/London", "2026-10-24T12:00Z", ["2026-10-25T00:00Z"]),
    ("*/15 1 * * *", "America/New_York", "2026-10-31T12:00Z", ["2026-11-01T05:00Z", "2026-11-01T05:45Z"]),
    ("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", ["2026-03-08T07:30Z"]),
    ("30 2 8 3 *", "America/New_York", "2026-03-07T12:00Z", ["2026-03-08T07:30Z"]),
]


@pytest.mark.parametrize(("line", "zone", "noon", "begins"), NIGHTS)
def test_in_a_night_when_the_clocks_are_changed_a_cron_line_begins_as_previewed(
    store: Store, line: str, zone: str, noon: str, begins: list[str]
) -> None:
    chosen = Settings(shop={"timezone": zone}, frequency=Frequency(max=100))
    text = campaign_text(on=f'{{cron: "{line}"}}', enter="every_time", steps=LATER.replace("1d", "0"))
    shop = Shop(store, [text], chosen, people={1: buyer(at(noon))})
    shop.tick(at(noon))
    hourly = [at(noon) + hours * HOUR for hours in range(1, 24)]
    looks = [(shop.preview(now), shop.tick(now)) for now in hourly]
    assert entered(shop) == list(map(at, begins))
    assert [seen for seen, _ in looks] == [done for _, done in looks]
    assert sum(len(done) for _, done in looks) == len(begins)


def test_another_trigger_counts_from_then_on(store: Store) -> None:
    shop = shop_on(store, MUG)
    buys(shop, NOW + HOUR, "towel")
    shop.tick(NOW + 2 * HOUR)
    shop.campaigns = [campaign_text(on="{bought: {product: towel}}", enter="every_time", steps=LATER)]
    shop.tick(NOW + 3 * HOUR)
    assert entered(shop) == []
    buys(shop, NOW + 4 * HOUR, "towel")
    shop.tick(NOW + 5 * HOUR)
    assert entered(shop) == [NOW + 4 * HOUR]


def test_a_campaign_that_was_out_for_a_while_misses_nothing(store: Store) -> None:
    shop = shop_on(store, MUG)
    shop.tick(NOW + 2 * HOUR)
    kept, shop.campaigns = shop.campaigns, [campaign_text("other", audience="{bought: {product: club}}")]
    buys(shop, NOW + HOUR)  # told while the file is wrong, and of a time at which it was not
    shop.tick(NOW + 3 * HOUR)
    shop.campaigns = [*kept, *shop.campaigns]
    shop.tick(NOW + 4 * HOUR)
    assert entered(shop) == [NOW + HOUR]


def test_forecasts_know_the_moments_that_come(store: Store) -> None:
    """In the hour of the moment, not at the next daily look; and a renewal that is known today."""
    texts = [
        campaign_text("cron", on='{cron: "0 9 * * *"}', steps=LATER.replace("1d", "0")),
        campaign_text("renewal", on="{renews: {product: club, before: 7d}}", steps=LATER.replace("1d", "2h")),
    ]
    person = buyer(NOW, changes=[Change(NOW - DAY, renews_at=NOW + 10 * DAY + HOUR / 2)])
    shop = Shop(store, texts, Settings(frequency=Frequency(max=100)), people={1: person})
    with store.reading() as connection:
        state = imagined(connection)
        desk = make_plan(connection, shop.book, state, NOW)
        merge(connection, shop.book, desk, state, NOW)
        assume_sent(connection, state)
        mails = [
            (then, count.campaign)
            for then, desk in forecast(connection, shop.book, state, NOW, 5)
            for count in decided(connection, desk)
            if count.verdict == "send"
        ]
    goes = {name: then for then, name in reversed(mails)}
    nine = NOW.replace(hour=9, minute=0) + (DAY if NOW.hour >= 9 else timedelta(0))
    assert nine <= goes["cron"] <= nine + HOUR
    begins = NOW + 3 * DAY + HOUR / 2
    assert begins + 2 * HOUR <= goes["renewal"] <= begins + 3 * HOUR


def test_explain_says_what_it_waits_for(store: Store) -> None:
    shop = shop_on(store, MUG)
    with store.reading() as connection:
        state, [campaign] = imagined(connection, 1), shop.book.campaigns
        desk = make_plan(connection, shop.book, state, NOW, only=1)
        told = explain_campaign(connection, shop.book, state, desk, campaign, (1, NOW)).summary
    assert told == "is in the audience; a run begins whenever somebody bought The Mug"


def test_who_never_ran_is_not_said_to_have_been_through(store: Store) -> None:
    shop = shop_on(store, MUG)

    def told(now: datetime) -> list[tuple[str, int]]:
        with store.reading() as connection:
            state = imagined(connection)
            desk = make_plan(connection, shop.book, state, now)
            return [(count.reason, count.people) for count in standing(connection, desk, state)]

    assert told(NOW + HOUR) == [("not_begun", 1)]
    buys(shop, NOW + 2 * HOUR)
    shop.tick(NOW + 3 * HOUR)
    assert told(NOW + 3 * HOUR) == [("waiting", 1)]
    shop.tick(NOW + 2 * DAY)
    assert told(NOW + 3 * DAY) == [("been_through", 1)]
