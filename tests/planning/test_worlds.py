"""Random worlds, ticked for weeks: what must hold whatever happens (invariants 1, 3, 4, 5 and 6)."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from engine.facts.suppression import address_hash
from engine.settings import Frequency, Settings
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests import oracle
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, campaign_text
from tests.world import Consent, Line, Order, Person, Use

ages = st.integers(-15, 20).map(lambda days: NOW - days * DAY)
lines = st.builds(
    Line, st.sampled_from(["guide", "course", "mug"]), refunded_at=st.one_of(st.none(), st.none(), ages)
)
people = st.builds(
    Person,
    known_at=st.just(NOW - 60 * DAY),
    orders=st.lists(st.builds(Order, ages, st.lists(lines, min_size=1, max_size=2)), min_size=1, max_size=3),
    uses=st.lists(
        st.builds(Use, ages, st.just("guide"), st.sampled_from(["c1", "c2", "c3"])),
        max_size=3,
        unique_by=lambda use: (use.unit, use.at),
    ),
    consents=st.lists(
        st.builds(Consent, ages, st.booleans()), max_size=3, unique_by=lambda c: (c.at, c.granted)
    ),
    email=st.sampled_from(["ann@example.com", "bob@example.com", "eve@example.com", None]),
)
audiences = st.sampled_from(
    [
        "{bought: {product: guide}}",
        "{bought: {any: true, older_than: 2d}}",
        "{consumed: {product: guide}}",
        "{all: [{bought: {product: guide}}, {not: {bought: {product: course}}}]}",
    ]
)


def _sequence(waits: list[str]) -> str:
    mail = "email: {subject: Hello, template: a.html}"
    return f"[{', '.join(f'{{id: s{n}, after: {wait}, {mail}}}' for n, wait in enumerate(waits))}]"


steps = st.lists(st.sampled_from(["0", "1d", "5d"]), min_size=1, max_size=3).map(_sequence)
extras = st.fixed_dictionaries(
    {
        "audience": audiences,
        "steps": steps,
        "priority": st.integers(0, 3),
        "holdout": st.sampled_from(["0%", "40%"]),
        "enter": st.sampled_from(["once", "every_time", "{again_after: 3d}"]),
    },
    optional={
        "offers": st.just("[course]"),
        "goal": st.just("{bought: {product: course}}"),
        "while_": st.just("{bought: {any: true}}"),
    },
)
worlds = st.tuples(
    st.lists(people, min_size=1, max_size=5), st.lists(extras, min_size=1, max_size=3), st.integers(1, 3)
)


@pytest.fixture(scope="module")
def both(new_postgres: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """SQLite and PostgreSQL, side by side."""
    folder = tmp_path_factory.mktemp("worlds")
    stores = [Store(f"sqlite:///{folder}/store.db"), Store(new_postgres())]
    for store in stores:
        ensure_current(store)
    yield stores
    for store in stores:
        store.close()


def _empty(store: Store) -> None:
    with store.writing() as connection:
        for name in tables.metadata.tables:
            connection.execute(delete(tables.metadata.tables[name]))


def _shop(store: Store, world: Any) -> Shop:
    persons, campaigns, cap = world
    _empty(store)
    texts = [campaign_text(f"c{n}", **extra) for n, extra in enumerate(campaigns)]
    frequency = Frequency(max=cap, per=timedelta(days=4))
    shop = Shop(store, texts, Settings(frequency=frequency), people=dict(enumerate(persons, start=1)))
    shop.add("suppressions", address_hash=address_hash("eve@example.com"), reason="manual", at=NOW - DAY)
    return shop


INSTANTS = [NOW + hours * timedelta(hours=1) for hours in (0, 7, 24, 48, 72, 120, 240, 300)]


@given(world=worlds)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_whatever_the_world(both: list[Store], world: Any) -> None:
    shops = [_shop(store, world) for store in both]
    for now in INSTANTS:
        previewed = [shop.preview(now) for shop in shops]
        ran = [shop.tick(now) for shop in shops]
        assert previewed == ran, "what preview lists is what run does"
        assert ran[0] == ran[1], "SQLite and PostgreSQL decide alike"
    for shop in shops:
        _check(shop, world[2])


def _check(shop: Shop, cap: int) -> None:
    mails = shop.rows("messages")
    keys = Counter((m["customer_id"], m["campaign_id"], m["step_id"], m["spell"]) for m in mails)
    assert max(keys.values(), default=0) <= 1
    held_out = {
        (r["customer_id"], r["campaign_id"], r["spell"]): r["held_out"] for r in shop.rows("enrollments")
    }
    for mail in mails:
        _check_mail(mail, shop.people[mail["customer_id"]])
        is_held_out = held_out[mail["customer_id"], mail["campaign_id"], mail["spell"]]
        assert (mail["status"] == "held_out") == is_held_out
    for customer in shop.people:
        times = [mail["planned_at"] for mail in mails if mail["customer_id"] == customer]
        for start in times:
            assert sum(start <= at < start + timedelta(days=4) for at in times) <= cap


def _check_mail(mail: dict[str, Any], person: Person) -> None:
    at = mail["planned_at"]
    assert person.email in ("ann@example.com", "bob@example.com")
    assert oracle.is_customer(person, at)
    assert _consents(person, at)


def _consents(person: Person, at: datetime) -> bool:
    told = sorted((c.at, not c.granted) for c in person.consents if c.at <= at)
    return bool(told) and not told[-1][1]
