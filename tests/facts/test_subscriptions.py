"""Subscriptions: statements in any order as intervals without gaps."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.facts.subscriptions import EXPIRED, Stated, intervals_of

from .conftest import TestShop, micros
from .test_changes import queued

HEAD = "email,subscription_id,sku,status,at,renews_at,ends_at\n"


def row(day: int, status: str, renews: str = "", ends: str = "", ref: str = "s1") -> str:
    """A row about a day of January; the other instants are days too."""
    return f"ann@example.com,{ref},club,{status},{_day(day)},{_day(renews)},{_day(ends)}\n"


def _day(day: object) -> str:
    return f"2026-01-{int(str(day)):02}T00:00Z" if day else ""


def stands(shop: TestShop) -> list[tuple[int, str, int | None, bool]]:
    """Each interval by its days: since, status, until, derived."""
    found = shop.rows("subscriptions", "at", "status", "until", "derived")
    return sorted(
        (_number(at), status, until and _number(until), derived) for at, status, until, derived in found
    )


def _number(at: int) -> int:
    return 1 + (at - micros("2026-01-01T00:00Z")) // (86_400 * 10**6)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([row(1, "active")], [(1, "active", None, False)], id="one statement holds ever since"),
        pytest.param(
            [row(1, "active"), row(5, "past_due"), row(7, "active")],
            [(1, "active", 5, False), (5, "past_due", 7, False), (7, "active", None, False)],
            id="each holds until the next",
        ),
        pytest.param(
            [row(1, "active"), row(5, "cancelled", ends="9")],
            [(1, "active", 5, False), (5, "cancelled", 9, False), (9, "expired", None, True)],
            id="it runs out",
        ),
        pytest.param(
            [row(1, "active"), row(5, "cancelled", ends="9"), row(20, "active")],
            [
                (1, "active", 5, False),
                (5, "cancelled", 9, False),
                (9, "expired", 20, True),
                (20, "active", None, False),
            ],
            id="it ran out, and was taken up again",
        ),
        pytest.param(
            [row(5, "cancelled", ends="9"), row(9, "active")],
            [(5, "cancelled", 9, False), (9, "active", None, False)],
            id="taken up again at the moment it would have run out",
        ),
        pytest.param(
            [row(5, "cancelled", ends="9"), row(7, "active")],
            [(5, "cancelled", 7, False), (7, "active", None, False)],
            id="taken up again before it ran out",
        ),
        pytest.param(
            [row(5, "cancelled", ends="9"), row(9, "expired", ends="9")],
            [(5, "cancelled", 9, False), (9, "expired", None, False)],
            id="the source says itself that it ran out",
        ),
        pytest.param(
            [row(5, "cancelled", ends="5")],
            [(5, "cancelled", 5, False), (5, "expired", None, True)],
            id="ended at once: a microsecond later it is expired",
        ),
        pytest.param([row(9, "expired", ends="5")], [(9, "expired", None, False)], id="found expired later"),
        pytest.param(
            [row(1, "active", renews="31", ends="31")],
            [(1, "active", 31, False), (31, "expired", None, True)],
            id="a fixed term",
        ),
    ],
)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_how_it_stood(shop, rows, expected, one_by_one):
    for seed in range(3):
        shop.empty()
        shuffled = random.Random(seed).sample(rows, len(rows))
        for part in [[each] for each in shuffled] if one_by_one else [shuffled]:
            assert shop.take(HEAD + "".join(part)).inserted == len(part)
        assert stands(shop) == expected
        before = shop.everything()
        assert shop.take(HEAD + "".join(rows)).unchanged == len(rows)
        assert shop.everything() == before


def test_all_columns(shop):
    summary = shop.take(HEAD + row(1, "Active", renews="8", ends="15"))
    assert summary.kind == "subscriptions"
    names = ("subscription_ref", "sku", "status", "renews_at", "ends_at", "derived")
    renews, ends = micros(_day(8)), micros(_day(15))
    assert shop.rows("subscriptions", *names) == [
        ("s1", "club", "active", renews, ends, False),
        ("s1", "club", "expired", None, ends, True),
    ]
    assert shop.rows("customers", "known_at") == [micros(_day(1))]


def test_a_later_word_about_the_same_instant_replaces_the_earlier(shop):
    shop.take(HEAD + row(1, "active", ends="9"))
    assert shop.take(HEAD + row(1, "active")).updated == 1
    assert stands(shop) == [(1, "active", None, False)]
    text = HEAD + row(1, "active") + row(1, "past_due")
    assert shop.take(text).updated == 2
    assert stands(shop) == [(1, "past_due", None, False)]
    before = shop.everything()
    assert shop.take(text).unchanged == 2
    assert shop.everything() == before


def test_two_subscriptions_of_one_person_are_two(shop):
    shop.take(HEAD + row(1, "active") + row(3, "expired", ref="s2"))
    assert stands(shop) == [(1, "active", None, False), (3, "expired", None, False)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (row(5, "cancelled", ends="4"), "ends_at is before at"),
        (row(5, "asleep"), "status is none of active, past_due, cancelled, expired"),
        (row(5, "active", ref=""), "subscription_id is blank"),
        (row(5, "active").replace("ann@example.com", ""), "names no customer"),
    ],
)
def test_what_is_refused(shop, text, reason):
    summary = shop.take(HEAD + text + row(1, "active"))
    assert (summary.inserted, summary.rejected) == (1, 1)
    assert summary.reasons[0][0].startswith(reason)


def test_who_is_queued(shop):
    text = HEAD + row(1, "active") + row(1, "active", ref="s2").replace("ann@", "bob@")
    shop.take(text)
    assert queued(shop) == ["ann@example.com", "bob@example.com"]
    shop.take(text + row(2, "past_due"))
    assert queued(shop) == ["ann@example.com"]
    shop.take(text)
    assert queued(shop) == []


def _of(who: str, day: int, status: str, ref: str = "s1") -> str:
    return row(day, status, ref=ref).replace("ann@", f"{who}@")


def _held(shop: TestShop) -> list[tuple[str, int, str]]:
    names = dict(shop.rows("identities", "customer_id", "value"))
    found = shop.rows("subscriptions", "customer_id", "at", "status")
    return sorted((names[who][:3], _number(at), status) for who, at, status in found)


NOTE = "subscriptions that came with another customer than before: 1, such as s1; each is whose its latest row says"


def test_a_subscription_that_comes_with_another_customer_is_theirs(shop):
    shop.take(HEAD + _of("ann", 1, "active") + _of("ann", 3, "past_due"))
    queued(shop)
    later = shop.take(HEAD + _of("bob", 5, "active"))
    assert _held(shop) == [("bob", 1, "active"), ("bob", 3, "past_due"), ("bob", 5, "active")]
    assert (later.inserted, later.notes) == (1, (NOTE,))
    assert queued(shop) == ["ann@example.com", "bob@example.com"]
    again = shop.take(HEAD + _of("bob", 5, "active"))
    assert (again.unchanged, again.notes) == (1, ())


def test_an_older_row_takes_no_subscription_away(shop):
    """What it says is true of that day, so that the order of imports does not matter."""
    shop.take(HEAD + _of("bob", 5, "active"))
    earlier = shop.take(HEAD + _of("ann", 1, "active"))
    assert _held(shop) == [("bob", 1, "active"), ("bob", 5, "active")]
    assert (earlier.inserted, earlier.notes) == (1, (NOTE,))


def test_a_row_about_the_same_instant_corrects_whose_it_is(shop):
    shop.take(HEAD + _of("ann", 1, "active") + _of("ann", 2, "active", ref="s2"))
    corrected = shop.take(HEAD + _of("bob", 1, "active"))
    assert (corrected.updated, corrected.unchanged, corrected.notes) == (1, 0, (NOTE,))
    assert _held(shop) == [("ann", 2, "active"), ("bob", 1, "active")]


def test_one_file_that_names_two_customers_for_a_subscription(shop):
    both = shop.take(HEAD + _of("bob", 5, "active") + _of("ann", 1, "active"))
    assert _held(shop) == [("bob", 1, "active"), ("bob", 5, "active")]
    assert (both.inserted, both.notes) == (2, (NOTE,))


STATEMENTS = st.lists(
    st.builds(
        Stated,
        at=st.integers(0, 20),
        sku=st.just("club"),
        status=st.sampled_from(["active", "cancelled", EXPIRED]),
        renews_at=st.none(),
        ends_at=st.none() | st.integers(0, 30),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda stated: stated.at,
)


@given(STATEMENTS)
def test_intervals_leave_no_gap_and_say_what_was_said(stated):
    found = list(intervals_of(stated))
    assert [each.until for each in found] == [*(each.at for each in found[1:]), None]
    assert all(each.until is None or each.at < each.until for each in found)
    assert sorted(stated) == [Stated(*each[:5]) for each in found if not each.derived]
    assert list(intervals_of(reversed(stated))) == found
