"""Random worlds, ticked for weeks: what must hold whatever happens (invariants 1, 3, 4, 5 and 6)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, note, settings
from sqlalchemy import delete

from engine.delivery.outbox import Outbox, Outcome
from engine.delivery.rows import Attempt
from engine.delivery.states import Status
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.planning.harness import Shop
from tests.planning.worlds import HOUR, INSTANTS, World, check, story, worlds
from tests.worlds import so_many

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]


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


@given(world=worlds)
@settings(max_examples=so_many(10), suppress_health_check=CALM)
def test_whatever_the_world(both: list[Store], world: World) -> None:
    for store in both:
        _empty(store)
    shops = [world.shop(store) for store in both]
    for number, now in enumerate(INSTANTS):
        previewed = shops[number % 2].preview(now)
        ran = [shop.tick(now) for shop in shops]
        assert ran[0] == ran[1], "SQLite and PostgreSQL decide alike"
        assert previewed == ran[0], "what preview lists is what run does"
    note(story(world, shops[0]))
    for shop in shops:
        check(shop)


@given(world=worlds)
@settings(max_examples=so_many(3), suppress_health_check=CALM)
def test_whoever_plans_and_delivers_at_the_same_time(both: list[Store], world: World) -> None:
    """Two planners and two carriers at once; mails are refused, tried again, lost from sight, found."""
    for store in both:
        _empty(store)
        shop = world.shop(store, sends=False)
        for now in INSTANTS:
            with ThreadPoolExecutor(4) as hands:
                at_work = [
                    *(hands.submit(shop.tick, now) for _ in range(2)),
                    *(hands.submit(_carry, shop, name, now + HOUR / 2) for name in ("ann", "bob")),
                ]
                for work in at_work:
                    work.result()
            _carry(shop, "eve", now + HOUR)
        note(story(world, shop))
        check(shop)


def _carry(shop: Shop, owner: str, now: datetime) -> None:
    """Take on what is due, and let each mail end in its own way."""
    box = Outbox(shop.store, owner, timedelta(minutes=1), "postman")
    batch = box.claim(box.due(now, 100), now)
    box.settle({attempt: _fate(attempt, now) for attempt in batch}, now)


def _fate(attempt: Attempt, now: datetime) -> Outcome:
    """By its name, so that it is the same in every world."""
    match int(attempt.key.message_id[:8], 16) % 5, attempt.number:
        case 0, 1:
            return Outcome(Status.SCHEDULED, "busy", due_at=now + 30 * HOUR)
        case 1, 1:
            return Outcome(Status.SCHEDULED, "busy", due_at=now + HOUR / 4)
        case 2, _:
            return Outcome(Status.UNKNOWN)
        case 3, _:
            return Outcome(Status.REJECTED)
    return Outcome(Status.ACCEPTED)
