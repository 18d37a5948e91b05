"""A person's word on a topic: the last one counts, and a no also counts against what was dated ahead of it."""

from datetime import datetime, timedelta

import pytest

from engine.facts.consenting import say, words
from engine.store.connect import Store
from engine.store.tables import consents
from tests.conftest import NOW

SOON, LATER = NOW + timedelta(seconds=12), NOW + timedelta(days=1)


def imported(store: Store, at: datetime, *, granted: bool) -> None:
    row = {"customer_id": 1, "topic": "marketing", "at": at, "granted": granted, "recorded_at": NOW}
    with store.writing() as connection:
        connection.execute(consents.insert(), row)


def said(store: Store, at: datetime, *, granted: bool) -> list[str]:
    with store.writing() as connection:
        return say(connection, 1, [("marketing", granted)], "one click", at)


def stands(store: Store, at: datetime) -> bool | None:
    with store.reading() as connection:
        return words(connection, 1, at).get("marketing")


@pytest.mark.parametrize("before", [True, False])
def test_a_no_overrules_every_yes_that_is_on_record(store: Store, *, before: bool) -> None:
    """An import may name a time that is still to come: the shop's clock runs ahead, or it means a day."""
    imported(store, NOW - timedelta(days=1), granted=before)
    imported(store, SOON, granted=True)
    assert said(store, NOW, granted=False) == ["marketing"]
    assert [stands(store, at) for at in (NOW, SOON, LATER)] == [False] * 3
    assert said(store, NOW, granted=False) == [], "the same word again"


def test_a_yes_that_comes_on_record_later_counts_from_its_time(store: Store) -> None:
    said(store, NOW, granted=False)
    imported(store, SOON, granted=True)
    assert [stands(store, at) for at in (NOW, SOON)] == [False, True]
    assert said(store, LATER, granted=False) == ["marketing"]
    assert said(store, LATER + timedelta(days=1), granted=True) == ["marketing"]
    assert stands(store, LATER + timedelta(days=1)) is True
