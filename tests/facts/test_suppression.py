"""Suppression: an address gets nothing, however it is written, and the first reason stays."""

from datetime import timedelta

from sqlalchemy import func, select

from engine.facts.suppression import address_hash, is_suppressed, suppress, suppressed_among
from engine.store.dialect import address_hash as sql_hash
from engine.store.tables import suppressions
from tests.conftest import NOW


def test_an_address_is_suppressed_once(store):
    with store.writing() as connection:
        assert suppress(connection, "Ann@Example.com", "complaint", "test", NOW)
        assert not suppress(connection, " ann@example.COM ", "bounce", "test", NOW + timedelta(days=1))
        assert is_suppressed(connection, "ANN@example.com")
        assert not is_suppressed(connection, "bob@example.com")
        rows = connection.execute(select(suppressions.c.reason, suppressions.c.at)).all()
    assert rows == [("complaint", NOW)]


def test_a_graver_reason_takes_the_place_of_an_unsubscription(store):
    later = NOW + timedelta(days=1)
    with store.writing() as connection:
        suppress(connection, "ann@example.com", "unsubscribed", "test", NOW)
        assert suppressed_among(connection, ["ann@example.com"], for_what_is_owed=True) == set()
        assert not suppress(connection, "ann@example.com", "bounce", "test", later)
        assert suppressed_among(connection, ["ann@example.com"], for_what_is_owed=True) == {"ann@example.com"}
        suppress(connection, "ann@example.com", "unsubscribed", "test", later)
        [row] = connection.execute(select(suppressions)).all()
    assert (row.reason, row.at) == ("bounce", NOW)


def test_many_are_asked_about_at_once(store):
    with store.writing() as connection:
        suppress(connection, "p7@example.com", "complaint", "test", NOW)
        asked = [f"p{n}@example.com" for n in range(12_000)] + ["P7@example.com"]
        assert suppressed_among(connection, asked) == {"p7@example.com", "P7@example.com"}
        assert suppressed_among(connection, []) == set()


def test_the_database_hashes_as_we_do(store):
    with store.reading() as connection:
        assert connection.scalar(select(sql_hash(func.lower("Ann@Example.com")))) == address_hash(
            "Ann@Example.com"
        )
