"""A PostgreSQL database that a test gives back is lent again as good as new, or not at all."""

import pytest
from sqlalchemy import func, insert, select, text

from engine.store import tables
from engine.store.connect import Store
from tests.conftest import NOW
from tests.databases import PostgresCopies

LEASE = {"name": "planner", "owner": "me", "epoch": 1, "expires_at": NOW}
pytestmark = pytest.mark.postgres


def used(copies: PostgresCopies, *statements: str) -> str:
    """Its URL, after rows and these statements, and somebody who has not let go of it."""
    with copies.lent() as url:
        store = Store(url)
        with store.writing() as connection:
            connection.execute(insert(tables.leases), LEASE)
            for statement in statements:
                connection.execute(text(statement))
        held = store.engine.connect()
        held.execute(select(tables.leases))
    held.invalidate()
    store.close()
    return url


def test_it_is_empty_when_it_is_lent_again(postgres_copies: PostgresCopies) -> None:
    url = used(postgres_copies)
    with postgres_copies.lent() as again:
        store = Store(again)
        with store.reading() as connection:
            counted = [
                connection.scalar(select(func.count()).select_from(t))
                for t in tables.metadata.tables.values()
            ]
        store.close()
    assert again == url
    assert not any(counted)


@pytest.mark.parametrize(
    "statement",
    ["DROP INDEX ix_orders_by_refund", "CREATE TABLE a_trace (x INTEGER)", "ALTER TABLE orders ADD x INTEGER", "ANALYZE leases"],
)  # fmt: skip
def test_it_is_not_lent_again_with_more_than_its_rows_changed(
    postgres_copies: PostgresCopies, statement: str
) -> None:
    url = used(postgres_copies, statement)
    with postgres_copies.lent() as other:
        assert other != url
