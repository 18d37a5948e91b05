"""One change for many rows: what SQLAlchemy would do row by row, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, func, insert, select, update

from engine.store.connect import Store
from engine.store.repeated import repeat
from engine.store.tables import throttle

NOW = datetime(2026, 3, 10, 9, 0, 0, 5, tzinfo=UTC)
NAMES = ("ann", "bob", "cem")
LATER = (
    update(throttle)
    .where(throttle.c.name == bindparam("who"), throttle.c.next_at <= NOW)
    .values(next_at=func.coalesce(bindparam("at", type_=throttle.c.next_at.type), throttle.c.next_at))
)


@pytest.fixture
def kept(store: Store) -> Store:
    with store.writing() as connection:
        connection.execute(insert(throttle), [{"name": name, "next_at": NOW} for name in NAMES])
    return store


def told(store: Store) -> dict[str, datetime]:
    with store.reading() as connection:
        return {row.name: row.next_at for row in connection.execute(select(throttle))}


def test_each_row_says_its_own_and_those_that_changed_are_counted(kept: Store) -> None:
    hour = NOW + timedelta(hours=1)
    rows = [{"who": "ann", "at": hour}, {"who": "bob", "at": None}, {"who": "nobody", "at": hour}]
    with kept.writing() as connection:
        assert repeat(connection, LATER, rows) == 2
        assert repeat(connection, LATER, rows) == 1  # where what the statement itself says still holds
        assert repeat(connection, LATER, []) == 0
    assert told(kept) == {"ann": hour, "bob": NOW, "cem": NOW}


@pytest.mark.parametrize("row", [{"who": "ann"}, {"who": "ann", "at": NOW, "more": 1}])
def test_a_row_that_says_too_little_or_too_much_is_refused(kept: Store, row: dict[str, object]) -> None:
    with kept.writing() as connection, pytest.raises(KeyError):
        repeat(connection, LATER, [row])
    assert set(told(kept).values()) == {NOW}
