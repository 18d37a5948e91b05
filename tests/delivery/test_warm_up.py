"""A new sender: few mails on the first day, more on each day after it, and never more than that."""

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from engine.delivery.warm_up import Ramp, limit
from engine.settings import Delivery, WarmUp
from engine.store.connect import Store
from tests.delivery.post_office import NOW, Postman, decide_anew, plan_mails, run

DAY = timedelta(days=1)
RAMP = WarmUp(since=date(2026, 3, 10), first_day=10, daily_growth=Decimal("0.5"), until=50)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-01", 10),
        ("2026-03-10", 10),
        ("2026-03-11", 15),
        ("2026-03-12", 22),
        ("2026-03-13", 33),
        ("2026-03-14", None),
    ],
)
def test_every_day_allows_more_until_there_is_no_limit(day: str, expected: int | None) -> None:
    assert limit(RAMP, date.fromisoformat(day)) == expected


def test_without_a_first_day_there_is_no_limit() -> None:
    assert limit(WarmUp(), date(2026, 3, 10)) is None


def test_all_processes_share_the_mails_of_a_day_and_give_back_what_they_did_not_need(store: Store) -> None:
    one, two = (Ramp(store, RAMP, ZoneInfo("UTC")) for _ in range(2))
    assert [one.take(6, NOW), two.take(6, NOW), one.take(1, NOW)] == [6, 4, 0]
    two.give_back(3, NOW)
    assert [one.take(5, NOW), one.today(NOW), one.today(NOW + DAY)] == [3, (10, 10), (0, 15)]


def test_a_day_ends_at_the_shops_midnight(store: Store) -> None:
    ramp = Ramp(store, RAMP, ZoneInfo("America/New_York"))
    before = datetime(2026, 3, 11, 3, 59, tzinfo=ZoneInfo("UTC"))
    assert [ramp.take(99, before), ramp.take(99, before + timedelta(minutes=1))] == [10, 15]


def test_what_a_day_does_not_allow_leaves_on_the_next(store: Store) -> None:
    plan_mails(store, *range(1, 31))
    postman, said = Postman(), list[str]()
    left = []
    for day in range(3):
        now = NOW + day * DAY
        decide_anew(store, now)
        left.append(
            run(store, postman, now=now, warm_up=RAMP, said=said, wait_for_rate=lambda _: None).accepted
        )
    assert left == [10, 15, 5]
    assert set(Counter(postman.sent).values()) == {1}
    assert "the mails that a new sender may send today are used up; the rest goes tomorrow" in said


def test_a_rate_takes_no_more_of_the_day_than_leaves(store: Store) -> None:
    plan_mails(store, *range(1, 31))
    assert run(store, Postman(), warm_up=RAMP, delivery=Delivery(per_hour=1)).accepted == 1
    assert Ramp(store, RAMP, ZoneInfo("UTC")).today(NOW) == (1, 10)
