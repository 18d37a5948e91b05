"""Random zones, windows and quiet hours, ticked at random instants for months.

No mail goes outside its window or in quiet hours, by the clock where its customer lives, and nothing is
forgotten.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.settings.model import Settings
from engine.settings.policies import Frequency
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.planning.harness import Shop, campaign_text
from tests.planning.wall import NAMES, SHOP, ZONES, shows
from tests.world import Consent, Line, Order, Person
from tests.worlds import so_many

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime.fromisoformat("2026-03-06T11:07Z")
MAIL = "email: {subject: Hello, template: a.html}"

clock_times = st.integers(0, 95).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")
spans = st.tuples(clock_times, clock_times).filter(lambda pair: pair[0] != pair[1]).map("-".join)
windows = st.fixed_dictionaries(
    {"days": st.sets(st.sampled_from(NAMES), min_size=2).map(sorted), "between": spans},
    optional={"late": st.just("skip"), "latest": st.sampled_from(["1d", "10d"])},
)
waits = st.sampled_from(["0", "3h", "2d", "{local_days: 1}", "{local_days: 20}"])
steps = st.lists(st.tuples(waits, windows), min_size=1, max_size=3)
gaps = st.lists(st.sampled_from([20 * MINUTE, 3 * HOUR, 7 * HOUR, DAY, 6 * DAY]), min_size=8, max_size=14)
quiets = st.one_of(st.just(""), st.sampled_from(["22:00-07:00", "00:30-02:30", "12:00-13:00"]))
lives = st.lists(st.sampled_from(ZONES), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('zones')}/store.db")
    ensure_current(opened)
    yield opened
    opened.close()


def person(number: int, zone: str) -> Person:
    old = START - 30 * DAY
    return Person(
        old,
        [Order(old, [Line("guide")])],
        consents=[Consent(old)],
        email=f"p{number}@example.com",
        timezone=zone,
    )


def shop_of(store: Store, lives: list[str], steps: Any, quiet: str) -> Shop:
    with store.writing() as connection:
        for table in tables.metadata.tables.values():
            connection.execute(table.delete())
    told = ", ".join(
        f"{{id: s{n}, after: {wait}, send: {{{', '.join(f'{k}: {v}' for k, v in send.items())}}}, {MAIL}}}".replace(
            "'", ""
        )
        for n, (wait, send) in enumerate(steps)
    )
    chosen = Settings(shop={"timezone": SHOP}, quiet_hours=quiet, frequency=Frequency(max=2, per=9 * DAY))
    people = {n: person(n, zone) for n, zone in enumerate(lives, start=1)}
    return Shop(store, [campaign_text(steps=f"[{told}]")], chosen, people=people)


@given(lives, steps, quiets, gaps)
@settings(
    max_examples=so_many(8),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_whatever_the_zones(
    store: Store, lives: list[str], steps: Any, quiet: str, gaps: list[timedelta]
) -> None:
    shop = shop_of(store, lives, steps, quiet)
    for now in accumulate(gaps, initial=START):
        assert shop.preview(now) == shop.tick(now)
        for run in shop.rows("enrollments"):
            last = [
                d
                for d in shop.rows("decisions")
                if d["customer_id"] == run["customer_id"] and d["step_id"] == run["step_id"]
            ]
            capped = bool(last) and last[0]["reason"] == "frequency_cap" and last[0]["at"] == now
            ahead = run["wake_at"] > now or run["updated_at"] == now  # or came to its step just now
            assert run["status"] != "active" or ahead or capped, "nobody is forgotten"
    mails = shop.rows("messages")
    for mail in mails:
        zone, send = lives[mail["customer_id"] - 1], steps[int(mail["step_id"][1:])][1]
        assert shows(zone, mail["planned_at"], send["between"], send["days"])
        assert not (quiet and shows(zone, mail["planned_at"], quiet, list(NAMES)))
    assert len({(m["customer_id"], m["step_id"], m["spell"]) for m in mails}) == len(mails)
