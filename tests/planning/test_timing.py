"""Send windows and waits by the calendar, told as stories: what a run holds, until when, and what is late."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.planning.explain import explain_campaign
from engine.planning.forecast import assume_sent, forecast
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.readout import decided
from engine.planning.state import imagined
from engine.settings.model import Settings
from engine.settings.policies import Frequency
from engine.store import tables
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import Shop, buyer, campaign_text
from tests.world import Consent, Line, Order, Person

HOUR = timedelta(hours=1)
MAIL = "email: {subject: Hello, template: a.html}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def step(send: str = "", after: str = "0", name: str = "one") -> str:
    return f"{{id: {name}, after: {after}, {f'send: {send}, ' if send else ''}{MAIL}}}"


def lives(where: str, **more: Any) -> Person:
    old = at("2026-01-01T00:00Z")
    facts = {"known_at": old, "orders": [Order(old, [Line("guide")])], "consents": [Consent(old)]}
    return Person(
        **facts, timezone=where, email=f"{where or 'nowhere'}@example.com".replace("/", "."), **more
    )


MORNINGS = "{days: mon-thu, between: 09:00-11:00}"
SUNDAY = at("2026-11-29T12:00Z")


def shop_of(store: Store, steps: str, *people: Person, **settings: Any) -> Shop:
    zone = {"shop": {"timezone": "America/New_York"}}
    chosen = Settings(**(zone | {"frequency": Frequency(max=100)} | settings))
    return Shop(store, [campaign_text(steps=f"[{steps}]")], chosen, people=dict(enumerate(people, start=1)))


def test_a_mail_waits_for_the_morning_where_its_customer_lives(store: Store) -> None:
    people = lives("Europe/Berlin"), lives("Pacific/Chatham"), lives(""), lives("Mars/Phobos")
    shop = shop_of(store, step(MORNINGS), *people)
    assert shop.preview(SUNDAY) == shop.tick(SUNDAY)
    assert {row["verdict"] + row["reason"] for row in shop.rows("decisions")} == {"holdoutside_window"}
    assert [row["detail"] for row in shop.rows("decisions")] == [
        "until Mon 2026-11-30 09:00 in Europe/Berlin",
        "until Mon 2026-11-30 09:00 in Pacific/Chatham",
        "until Mon 2026-11-30 09:00 in America/New_York",
        "until Mon 2026-11-30 09:00 in America/New_York",
    ]
    opens = ["2026-11-30T08:00Z", "2026-11-29T19:15Z", "2026-11-30T14:00Z", "2026-11-30T14:00Z"]
    runs = shop.rows("enrollments")
    assert [run["wake_at"] for run in runs] == list(map(at, opens))
    assert {run["due_at"] for run in runs} == {SUNDAY}, "what was meant stays"
    # in between nobody is asked
    assert shop.tick(at("2026-11-29T19:00Z")) == []
    assert [row[0] for row in shop.tick(at("2026-11-29T19:15Z"))] == [2]
    assert shop.tick(at("2026-11-30T08:30Z")) == [(1, "plain", "one", "send", "due")]
    assert [row[0] for row in shop.tick(at("2026-11-30T14:00Z"))] == [3, 4]
    closes = {mail["customer_id"]: mail["closes_at"] for mail in shop.rows("messages")}
    assert closes[1] == at("2026-11-30T10:00Z")


def test_the_next_step_counts_from_the_mail_and_not_from_what_was_meant(store: Store) -> None:
    shop = shop_of(store, f"{step(MORNINGS)}, {step(MORNINGS, '1d', 'two')}", lives("Europe/Berlin"))
    shop.tick(SUNDAY)
    shop.tick(at("2026-11-30T08:30Z"))
    [run] = shop.rows("enrollments")
    assert (run["step_id"], run["due_at"], run["wake_at"]) == ("two", *[at("2026-12-01T08:30Z")] * 2)


def test_by_the_shops_clock_or_a_named_one(store: Store) -> None:
    for zone, opens in (("shop", "2026-11-30T14:00Z"), ("Asia/Tokyo", "2026-11-30T00:00Z")):
        words = MORNINGS.replace("}", f", timezone: {zone}}}")
        shop = shop_of(store, step(words), lives("Europe/Berlin"))
        shop.tick(SUNDAY)
        assert [run["wake_at"] for run in shop.rows("enrollments")] == [at(opens)]
        clear(store)


def clear(store: Store) -> None:
    with store.writing() as connection:
        for table in tables.metadata.tables.values():
            connection.execute(table.delete())


@pytest.mark.parametrize(
    ("words", "tick", "expected"),
    [
        ("", "2026-11-30T22:00Z", ("hold", "outside_window")),
        (", late: send", "2026-11-30T19:00Z", ("send", "due")),
        (", late: send", "2026-11-30T21:30Z", ("hold", "quiet_hours")),
        (", late: skip", "2026-11-30T11:00Z", ("skip", "too_late")),
        (", latest: 2d", "2026-12-01T08:30Z", ("send", "due")),
        (", latest: 2d", "2026-12-03T08:30Z", ("skip", "too_late")),
        (", latest: 12h", "2026-11-30T12:00Z", ("skip", "too_late")),  # it could not go in time any more
    ],
)
def test_what_is_late(store: Store, words: str, tick: str, expected: tuple[str, str]) -> None:
    steps = step(MORNINGS.replace("}", f"{words}}}"))
    shop = shop_of(store, steps, lives("Europe/Berlin"), quiet_hours="22:00-08:00")
    shop.tick(SUNDAY)
    # nobody ticked while the window was open
    assert shop.preview(at(tick)) == [(1, "plain", "one", *expected)]
    assert shop.reasons(at(tick)) == [expected]
    status = {"send": "finished", "hold": "active", "skip": "finished"}[expected[0]]
    assert [run["status"] for run in shop.rows("enrollments")] == [status]


def test_what_the_cap_holds_waits_for_the_next_window(store: Store) -> None:
    texts = [campaign_text(name, steps=f"[{step(MORNINGS)}]") for name in ("a", "b")]
    chosen = Settings(frequency=Frequency(max=1, per=timedelta(hours=20)))
    shop = Shop(store, texts, chosen, people={1: lives("Europe/Berlin")})
    monday = at("2026-11-30T09:00Z")
    assert shop.reasons(monday) == [("send", "due"), ("hold", "frequency_cap")]
    assert shop.reasons(monday + HOUR) == [("hold", "outside_window")]
    assert shop.tick(monday + 22 * HOUR) == []
    assert shop.reasons(monday + 23 * HOUR) == [("send", "due")]


def test_a_window_that_was_edited_counts_at_once(store: Store) -> None:
    shop = shop_of(store, step(MORNINGS), lives("Europe/Berlin"))
    shop.tick(SUNDAY)
    shop.campaigns = [campaign_text(steps=f"[{step('{days: [sun]}')}]")]
    assert shop.preview(SUNDAY + HOUR) == shop.tick(SUNDAY + HOUR) == [(1, "plain", "one", "send", "due")]


def test_who_moves_is_asked_again_at_once(store: Store) -> None:
    shop = shop_of(store, step("{days: [sun]}"), lives("America/New_York"))
    night = at("2026-11-29T04:00Z")  # still Saturday there
    assert shop.reasons(night) == [("hold", "outside_window")]
    with store.writing() as connection:
        connection.execute(update(tables.customers).values(timezone="Europe/Berlin"))
        connection.execute(tables.changes.insert(), {"customer_id": 1, "change_id": 1})
    assert (
        shop.preview(night + HOUR / 4) == shop.tick(night + HOUR / 4) == [(1, "plain", "one", "send", "due")]
    )


def test_a_mail_that_was_left_over_keeps_to_its_window_too(store: Store) -> None:
    shop = shop_of(store, step(MORNINGS), lives("Europe/Berlin"))
    shop.sends = False
    assert shop.reasons(at("2026-11-30T09:00Z")) == [("send", "due")]
    assert shop.reasons(at("2026-11-30T10:00Z")) == [("hold", "outside_window")]
    [mail] = shop.rows("messages")
    assert (mail["status"], mail["due_at"]) == ("scheduled", at("2026-12-01T08:00Z"))
    assert shop.tick(at("2026-12-01T07:59Z")) == []
    assert shop.reasons(at("2026-12-01T08:00Z")) == [("send", "due")]
    [mail] = shop.rows("messages")
    assert mail["closes_at"] == at("2026-12-01T10:00Z")


def test_a_left_over_mail_is_as_late_as_its_step_was(store: Store) -> None:
    shop = shop_of(store, step(MORNINGS.replace("}", ", late: skip}")), lives("Europe/Berlin"))
    shop.sends = False
    shop.tick(at("2026-11-30T09:00Z"))
    assert shop.reasons(at("2026-11-30T10:00Z")) == [("skip", "too_late")]
    assert [mail["status"] for mail in shop.rows("messages")] == ["cancelled"]


def test_a_window_that_never_opens_passes_the_step_over(store: Store) -> None:
    words = "{between: 09:00-10:00, timezone: Asia/Tokyo}"
    shop = shop_of(store, step(words), lives("UTC"), quiet_hours="22:00-06:00")
    assert shop.reasons(SUNDAY) == [("skip", "never_open")]


def test_on_holidays_of_their_own_country_nothing_goes(store: Store) -> None:
    words = "{between: 09:00-11:00, skip_holidays: true}"
    people = lives("Europe/Berlin", country="DE"), lives("Europe/London", country="GB"), lives("Europe/Paris")
    settings = {"shop": {"timezone": "Europe/Berlin", "country": "FR"}}
    shop = shop_of(store, step(words), *people, **settings)
    christmas = at("2026-12-25T08:30Z")
    assert {reason for _, reason in shop.reasons(christmas)} == {"outside_window"}
    clear(store)
    shop = shop_of(store, step(words), *people, **settings)
    unity = at("2026-10-03T08:30Z")  # of Germany; nothing else anywhere
    assert shop.reasons(unity) == [("hold", "outside_window"), ("send", "due"), ("send", "due")]
    clear(store)
    shop = shop_of(store, step(words), *people, **settings)
    bastille = at("2026-07-14T08:30Z")  # who lives in no country that we know lives in the shop's
    assert [verdict for verdict, _ in shop.reasons(bastille)] == ["send", "send", "hold"]


# ── Waits by the calendar ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "entered", "days", "due"),
    [
        ("Europe/Berlin", "2026-03-27T09:30Z", 3, "2026-03-30T08:30Z"),  # an hour less than 72
        ("Europe/Berlin", "2026-10-23T08:30Z", 3, "2026-10-26T09:30Z"),
        ("Europe/Berlin", "2026-06-01T08:30Z", 0, "2026-06-01T08:30Z"),
        ("Europe/Berlin", "2026-03-28T01:30Z", 1, "2026-03-29T01:30Z"),  # 02:30 was left out: 03:30
        ("Europe/Berlin", "2026-10-24T00:30Z", 1, "2026-10-25T00:30Z"),  # 02:30 came twice: the first
        ("America/New_York", "2026-03-07T14:00Z", 1, "2026-03-08T13:00Z"),
        ("Australia/Lord_Howe", "2026-10-02T22:30Z", 1, "2026-10-03T22:00Z"),
        ("Australia/Lord_Howe", "2026-10-02T15:45Z", 1, "2026-10-03T15:45Z"),  # 02:15 was left out: 02:45
        ("Australia/Lord_Howe", "2026-04-03T14:45Z", 1, "2026-04-04T14:45Z"),  # 01:45 came twice
        ("Pacific/Chatham", "2026-09-25T20:15Z", 1, "2026-09-26T19:15Z"),
        ("Pacific/Chatham", "2026-04-03T19:15Z", 1, "2026-04-04T20:15Z"),
        ("Pacific/Chatham", "2026-04-03T13:15Z", 1, "2026-04-04T13:15Z"),  # 03:00 came twice
        ("Africa/Casablanca", "2026-02-14T09:00Z", 1, "2026-02-15T10:00Z"),
        ("Africa/Casablanca", "2026-03-21T09:00Z", 1, "2026-03-22T08:00Z"),
        ("Europe/Berlin", "2028-02-28T08:00Z", 2, "2028-03-01T08:00Z"),
        ("Europe/Berlin", "2028-02-29T08:00Z", 365, "2029-02-28T08:00Z"),
        ("", "2026-11-01T03:00Z", 1, "2026-11-02T04:00Z"),  # in the shop's zone, New York
        ("Mars/Phobos", "2026-11-01T03:00Z", 1, "2026-11-02T04:00Z"),
        ("Europe/Berlin", "2026-06-01T08:30Z", 365, "2027-06-01T08:30Z"),
        ("Europe/Berlin", "2026-06-01T08:30Z", 200, "2026-12-18T09:30Z"),
    ],
)
def test_the_same_time_of_day_so_many_days_later(
    store: Store, zone: str, entered: str, days: int, due: str
) -> None:
    wait = f"{{local_days: {days}}}"
    for steps in (step(after=wait), f"{step()}, {step(after=wait, name='two')}"):
        shop = shop_of(store, steps, lives(zone))
        shop.tick(at(entered))
        assert [run["due_at"] for run in shop.rows("enrollments")] == [at(due)]
        clear(store)


def test_a_day_that_was_left_out_is_the_next_one(store: Store) -> None:
    person = lives("Pacific/Apia")
    person.known_at = person.orders[0].at = person.consents[0].at = at("2011-01-01T00:00Z")
    shop = shop_of(store, step(after="{local_days: 1}"), person)
    shop.tick(at("2011-12-29T20:00Z"))  # ten in the morning of the 29th
    assert [run["due_at"] for run in shop.rows("enrollments")] == [at("2011-12-30T20:00Z")]  # ten, the 31st


def test_everybody_by_their_own_clock(store: Store) -> None:
    people = lives("Europe/Berlin"), lives("America/New_York"), lives("Asia/Kolkata")
    shop = shop_of(store, f"{step()}, {step(after='{local_days: 2}', name='two')}", *people)
    shop.tick(at("2026-10-24T09:00Z"))
    due = ["2026-10-26T10:00Z", "2026-10-26T09:00Z", "2026-10-26T09:00Z"]
    assert [run["due_at"] for run in shop.rows("enrollments")] == list(map(at, due))


# ── What is foretold, and explained ─────────────────────────────────────────────────────────────


def foretold(shop: Shop, now: datetime, days: int) -> list[tuple[datetime, str]]:
    """The mails of a forecast: when, and of which step."""
    with shop.store.reading() as connection:
        state = imagined(connection)
        desk = make_plan(connection, shop.book, state, now)
        merge(connection, shop.book, desk, state, now)
        assume_sent(connection, state)
        plans = forecast(connection, shop.book, state, now, days)
        return [
            (then, count.step)
            for then, desk in plans
            for count in decided(connection, desk)
            if count.verdict == "send"
        ]


def test_a_forecast_sees_short_windows(store: Store) -> None:
    """One that lies between two of its hours, and one that is closed again by the next."""
    quarter = "{days: [mon, wed], between: 09:10-09:25}"
    steps = (
        f"{step(quarter)}, {step(quarter, '47h', 'two')}, {step('{between: 09:50-10:05}', '10m', 'three')}"
    )
    shop = shop_of(store, steps, lives("Europe/Berlin"))
    mails = foretold(shop, SUNDAY, 9)
    local = [(f"{then.astimezone(tz('Europe/Berlin')):%a %H:%M}", name) for then, name in mails]
    assert [name for _, name in local] == ["one", "two", "three"]
    assert "Mon 09:10" <= local[0][0] < "Mon 09:25"
    assert "Wed 09:10" <= local[1][0] < "Wed 09:25"
    assert "Wed 09:50" <= local[2][0] < "Wed 10:05"


def tz(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def summary(shop: Shop, now: datetime) -> str:
    with shop.store.reading() as connection:
        state = imagined(connection, 1)
        desk = make_plan(connection, shop.book, state, now, only=1)
        return explain_campaign(connection, shop.book, state, desk, shop.book.campaigns[0], (1, now)).summary


def test_why_a_mail_waits_and_until_when_is_explained(store: Store) -> None:
    shop = shop_of(store, step(MORNINGS, "{local_days: 1}"), lives("Europe/Berlin"))
    friday = at("2026-11-27T12:00Z")
    waits = "and waits until Mon 2026-11-30 09:00 in Europe/Berlin"
    assert summary(shop, friday) == f"enters now; the step 'one' is due 2026-11-28 12:00Z, {waits}"
    shop.tick(friday)
    assert summary(shop, friday).startswith(f"waits: the step 'one' is due 2026-11-28 12:00Z, {waits}")
    shop.tick(SUNDAY)
    assert summary(shop, SUNDAY + HOUR) == (
        f"waits: the step 'one' was due 2026-11-28 12:00Z, {waits}; the step 'one' is held: "
        "outside the step's send window (until Mon 2026-11-30 09:00 in Europe/Berlin)"
    )


def test_what_is_due_but_waits_is_not_asked_by_others(store: Store) -> None:
    """Held over night, and meanwhile of no account to the cap: another campaign may go."""
    texts = [campaign_text("a", priority=90, steps=f"[{step(MORNINGS)}]"), campaign_text("b")]
    shop = Shop(store, texts, Settings(frequency=Frequency(max=1)), people={1: buyer(NOW)})
    night = at("2026-11-28T20:00Z")
    assert shop.reasons(night) == [("hold", "outside_window"), ("send", "due")]
