"""Which tables a query reads from end to end, and what it compares there."""

import pytest
from sqlalchemy import Select, exists, select

from engine.store.connect import Store
from engine.store.dialect import is_sqlite
from engine.store.indexes import missing_indexes
from engine.store.plans import compared, is_large, query_plan, read_whole
from engine.store.tables import customers, orders
from tests.conftest import NOW

OTHER, UNNAMED = orders.alias("other"), orders.alias()

# what is asked, the tables read whole on SQLite, and the columns of orders that are compared
ASKED: dict[str, tuple[Select[int], list[str], list[str]]] = {
    "no index has it": (select(orders.c.customer_id).where(orders.c.source == "x"), ["orders"], ["source"]),
    "under another name": (select(OTHER.c.customer_id).where(OTHER.c.medium == "x"), ["orders"], ["medium"]),
    "under a name of no matter": (
        select(UNNAMED.c.customer_id).where(UNNAMED.c.campaign == "x"),
        ["orders"],
        ["campaign"],
    ),
    "covered, but not found by it": (
        select(orders.c.customer_id).where(orders.c.amount == 5),
        ["orders"],
        ["amount"],
    ),
    "by its key": (
        select(orders.c.customer_id).where(orders.c.customer_id == 5, orders.c.amount == 1),
        [],
        ["amount", "customer_id"],
    ),
    "for each of some": (
        select(customers.c.customer_id).where(
            customers.c.customer_id == 5,
            exists().where(orders.c.customer_id == customers.c.customer_id, orders.c.paid),
        ),
        [],
        ["customer_id", "paid"],
    ),
}


@pytest.mark.parametrize("asked", list(ASKED))
def test_what_is_read_whole(store: Store, asked: str) -> None:
    """PostgreSQL reads an empty table whole where it likes, so only what must be read so is compared."""
    query, whole, columns = ASKED[asked]
    with store.reading() as connection:
        plan = query_plan(connection, query)
        read = [table.name for table in read_whole(connection, query)]
        assert plan
        assert read == whole if is_sqlite(connection) else set(read) >= set(whole)
    assert compared(query, orders) == columns


def test_a_table_is_large_above_that_many_rows(store: Store) -> None:
    with store.writing() as connection:
        person = {"known_at": NOW, "recorded_at": NOW, "lot": 1}
        connection.execute(customers.insert(), [person | {"customer_id": n} for n in range(3)])
        assert is_large(connection, customers, 2)
        assert not is_large(connection, customers, 3)


def test_every_index_is_there_until_it_is_dropped(store: Store) -> None:
    with store.writing() as connection:
        assert missing_indexes(connection) == []
        connection.exec_driver_sql("DROP INDEX ix_orders_by_refund")
        [missing] = missing_indexes(connection)
        assert missing[:2] == ("orders", "ix_orders_by_refund")
        connection.exec_driver_sql(missing.remedy)
        assert missing_indexes(connection) == []
