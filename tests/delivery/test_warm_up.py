"""A new sender: few mails on the first day, more on each day after it, and never more than that."""

from collections import Counter
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.delivery.outbox import Outbox
from engine.delivery.transports.base import OutcomeUnknown, Refused, TryAgain
from engine.delivery.warm_up import Ramp, limit
from engine.errors import TransportError
from engine.settings.delivery import Delivery, WarmUp
from engine.store.connect import Store
from tests.delivery.post_office import NOW, Postman, decide_anew, plan_mails, run, statuses

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


@pytest.mark.parametrize(
    ("zone", "midnight", "allowed"),
    [
        ("America/New_York", "2026-03-11T04:00Z", [10, 15]),
        ("Australia/Lord_Howe", "2026-04-05T13:30Z", [10, 15]),  # of a day that was half an hour longer
        ("Pacific/Chatham", "2026-09-27T10:15Z", [10, 15]),
        ("Pacific/Apia", "2011-12-30T10:00Z", [10, 22]),  # the day between was left out
        ("Europe/Berlin", "2028-02-29T23:00Z", [10, 15]),
    ],
)
def test_a_day_ends_at_the_shops_midnight(store: Store, zone: str, midnight: str, allowed: list[int]) -> None:
    at, clock = datetime.fromisoformat(midnight), ZoneInfo(zone)
    before = at - timedelta(minutes=1)
    ramp = Ramp(store, RAMP.model_copy(update={"since": before.astimezone(clock).date()}), clock)
    assert [ramp.take(99, before), ramp.take(99, at)] == allowed


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


def test_what_did_not_leave_takes_nothing_of_the_day(store: Store) -> None:
    plan_mails(store, *range(1, 31))
    no = Refused("no such mailbox")
    trouble = {1: no, 2: TryAgain("busy"), 3: OutcomeUnknown("it hung up"), 4: TransportError("wrong key")}
    for used in (1, 10):  # the one of which nobody knows may have left
        with suppress(TransportError):
            run(store, Postman(trouble if used == 1 else {}), warm_up=RAMP)
        assert Ramp(store, RAMP, ZoneInfo("UTC")).today(NOW) == (used, 10)
    assert statuses(store) == {"accepted": 9, "rejected": 1, "unknown": 1, "scheduled": 19}


def test_who_finds_the_mails_taken_by_another_gives_back(store: Store) -> None:
    plan_mails(store, *range(1, 6))
    seen = Outbox.due

    def taken_meanwhile(box: Outbox, *args: Any, **more: Any) -> Any:
        waiting = seen(box, *args, **more)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Outbox, "due", seen)
            run(store, Postman(), owner="faster", warm_up=RAMP)
        return waiting

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Outbox, "due", taken_meanwhile)
        assert run(store, Postman(), owner="slower", warm_up=RAMP).accepted == 0
    assert Ramp(store, RAMP, ZoneInfo("UTC")).today(NOW) == (5, 10)


def test_where_the_day_is_over_it_is_not_said_that_no_mail_was_due(store: Store) -> None:
    plan_mails(store, *range(1, 31))
    run(store, Postman(), warm_up=RAMP)
    assert str(run(store, Postman(), warm_up=RAMP)) == "Mails: 20 still due"


def test_a_rate_takes_no_more_of_the_day_than_leaves(store: Store) -> None:
    plan_mails(store, *range(1, 31))
    assert run(store, Postman(), warm_up=RAMP, delivery=Delivery(per_hour=1)).accepted == 1
    assert Ramp(store, RAMP, ZoneInfo("UTC")).today(NOW) == (1, 10)
