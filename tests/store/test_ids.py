"""Customer ids: in order of time, never twice, the same for the same seed."""

from datetime import timedelta

from engine.clock import VirtualClock
from engine.store.ids import IdFactory
from tests.conftest import NOW


def test_ids_rise_and_fit_into_63_bits(ids: IdFactory) -> None:
    made = [ids.next() for _ in range(1000)]
    assert made == sorted(set(made))
    assert 0 < made[0] < made[-1] < 2**63


def test_a_seed_makes_the_same_ids() -> None:
    assert IdFactory(VirtualClock(NOW), seed=5).next() == IdFactory(VirtualClock(NOW), seed=5).next()
    assert IdFactory(VirtualClock(NOW)).next() != IdFactory(VirtualClock(NOW)).next()


def test_later_factories_make_higher_ids() -> None:
    earlier, later = IdFactory(VirtualClock(NOW)), IdFactory(VirtualClock(NOW + timedelta(seconds=1)))
    assert max(earlier.next() for _ in range(1000)) < later.next()
