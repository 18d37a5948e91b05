"""How fast mails leave: never faster than the rate, and never slower where there is enough to send."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from engine.delivery import throttle
from engine.delivery.throttle import CATCH_UP, Throttle, interval, permitted
from engine.settings.delivery import Delivery, Smtp
from engine.store.connect import Store
from engine.store.tables import customers
from tests.delivery.post_office import Postman, plan_mails, row, run, statuses

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({}, None),
        ({"per_minute": 60}, timedelta(seconds=1)),
        ({"per_hour": 1}, timedelta(hours=1)),
        ({"per_minute": 600, "per_hour": 3600}, timedelta(seconds=1)),
        ({"per_minute": 1, "per_hour": 3600}, timedelta(minutes=1)),
    ],
)
def test_the_slower_of_two_rates_holds(rates: dict[str, int], expected: timedelta | None) -> None:
    assert interval(Delivery(**rates)) == expected


@given(
    per_minute=st.integers(1, 1200),
    asked=st.lists(st.tuples(st.floats(0, 90), st.integers(1, 200)), min_size=1, max_size=20),
)
def test_in_no_span_do_more_leave_than_the_rate_allows(
    per_minute: int, asked: list[tuple[float, int]]
) -> None:
    step, now, free, left = timedelta(minutes=1) / per_minute, START, START, []
    for seconds, wanted in asked:
        now += timedelta(seconds=seconds)
        number, free = permitted(free, now, step, wanted)
        left += [now] * number
    for first in range(0, len(left), 7):
        for count, end in enumerate(left[first:], start=1):
            assert count <= (end - left[first] + CATCH_UP) // step + 1


@given(per_minute=st.integers(1, 6000))
def test_who_asks_every_second_gets_all_that_the_rate_allows(per_minute: int) -> None:
    step, free, number = timedelta(minutes=1) / per_minute, START, 0
    for second in range(121):
        more, free = permitted(free, START + timedelta(seconds=second), step, 1000)
        number += more
    assert number >= 2 * per_minute


def test_all_processes_share_one_rate(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "database_now", lambda _: START)
    one, two = (Throttle(store, timedelta(seconds=10)) for _ in range(2))
    assert [one.take(5), two.take(5), one.take(5)] == [1, 0, 0]
    assert two.pause() == timedelta(seconds=10)


def test_after_hours_of_silence_nothing_leaves_in_a_flood(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Throttle(store, timedelta(seconds=0.1))
    for now in (START, START + timedelta(hours=9)):
        monkeypatch.setattr(throttle, "database_now", lambda _, at=now: at)
        assert gate.take(10_000) <= 11


def test_a_rate_that_was_slower_once_holds_nobody_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "database_now", lambda _: START)
    assert Throttle(store, timedelta(hours=1)).take(1) == 1
    later = START + timedelta(seconds=2)
    monkeypatch.setattr(throttle, "database_now", lambda _: later)
    assert Throttle(store, timedelta(seconds=1)).take(1) == 1


def test_a_delivery_waits_for_the_rate_or_leaves_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = START
    monkeypatch.setattr(throttle, "database_now", lambda _: now)

    def wait(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)

    plan_mails(store, *range(1, 6))
    postman, slowly = Postman(), Delivery(per_minute=2)
    assert run(store, postman, delivery=slowly).accepted == 1
    assert run(store, postman, delivery=slowly, wait_for_rate=wait).accepted == 4
    assert now - START == timedelta(minutes=2)


# ── rates of single domains ─────────────────────────────────────────────────────────────────────


class SmtpMan(Postman):
    """Goes by the name of the transport that has such rates."""

    name = "smtp"


def live_at(store: Store, domain: str, *customer_ids: int) -> None:
    with store.writing() as connection:
        for number in customer_ids:
            this = update(customers).where(customers.c.customer_id == number)
            connection.execute(this.values(email=f"c{number}@{domain}" if domain else None))


def test_a_domain_over_its_rate_waits_and_the_others_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "database_now", lambda _: START)
    plan_mails(store, *range(1, 9))
    live_at(store, "Big.example", 1, 2, 3, 4, 5)
    live_at(store, "notbig.example", 6)
    live_at(store, "", 7)
    man = SmtpMan()
    done = run(store, man, batch=3, smtp=Smtp(per_domain={"big.example": 1, "shop.example": 60}))
    assert (done.accepted, sorted(man.sent)) == (4, [1, 6, 7, 8])
    assert statuses(store) == {"accepted": 4, "scheduled": 4}
    assert [row(store, i).attempt for i in (2, 3, 4, 5)] == [0] * 4


@pytest.mark.parametrize("listed", ["straße.de", "xn--strae-oqa.de", "STRASSE.de"])
@pytest.mark.parametrize("kept", ["straße.de", "xn--strae-oqa.de"])
def test_a_domain_is_the_same_in_whatever_letters_it_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch, listed: str, kept: str
) -> None:
    """But strasse.de is somebody else's."""
    monkeypatch.setattr(throttle, "database_now", lambda _: START)
    plan_mails(store, 1, 2, 3)
    live_at(store, kept, 1, 2)
    rate = Smtp(per_domain={listed: 1})
    assert run(store, SmtpMan(), batch=1, smtp=rate).accepted == (3 if listed == "STRASSE.de" else 2)


def test_with_time_to_wait_all_of_them_leave_at_the_rate(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, left = START, []
    monkeypatch.setattr(throttle, "database_now", lambda _: now)

    def wait(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)

    plan_mails(store, *range(1, 7))
    live_at(store, "big.example", 1, 2, 3, 4)
    man = SmtpMan()
    man.before_each = lambda number: left.append((number, now - START))
    said: list[str] = []
    run(store, man, smtp=Smtp(per_domain={"big.example": 2}), wait_for_rate=wait, said=said)
    assert left == [(1, timedelta(0)), (5, timedelta(0)), (6, timedelta(0))] + [
        (number, timedelta(seconds=30 * (number - 1))) for number in (2, 3, 4)
    ]
    assert said == ["mails to big.example wait, as smtp.per_domain says"]


def test_both_rates_hold_and_neither_is_used_up_for_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each second two may leave, and one of them to the domain: so the other is for somebody else."""
    now = START
    monkeypatch.setattr(throttle, "database_now", lambda _: now)
    plan_mails(store, *range(1, 13))
    live_at(store, "big.example", *range(1, 9))
    man = SmtpMan()
    rates = {"delivery": Delivery(per_minute=120, batch=100), "smtp": Smtp(per_domain={"big.example": 60})}
    run(store, man, **rates)
    for _ in range(4):
        now += timedelta(seconds=1)
        run(store, man, **rates)
    assert len([number for number in man.sent if number <= 8]) == 5
    assert len(man.sent) == 9


def test_two_processes_share_the_rate_of_a_domain(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "database_now", lambda _: START)
    plan_mails(store, *range(1, 4))
    rates = {"smtp": Smtp(per_domain={"shop.example": 1})}
    assert [run(store, SmtpMan(), owner=name, **rates).accepted for name in ("ann", "bob")] == [1, 0]
    assert run(store, Postman(), **rates).accepted == 2  # another transport has no such rates
