"""The migrations make exactly the tables of `tables.py`, forwards and back."""

import json

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from engine.errors import StoreError
from engine.store.connect import Store
from engine.store.migrate import NEWEST, ensure_current, revision
from engine.store.tables import metadata
from engine.store.upgrading import alembic_config


def test_migrations_make_the_tables_as_written(store: Store) -> None:
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert revision(connection) == NEWEST


def test_a_current_database_is_left_alone(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("CREATE TABLE a_trace (x INTEGER)"))
    ensure_current(store)
    with store.reading() as connection:
        assert inspect(connection).has_table("a_trace")


def test_a_database_of_something_else_is_not_filled(store: Store) -> None:
    with store.writing() as connection:
        command.downgrade(alembic_config(connection), "base")
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("CREATE TABLE posts (x INTEGER)"))
    with pytest.raises(StoreError, match="tables of something else, such as posts"):
        ensure_current(store)
    with store.writing() as connection:
        assert inspect(connection).get_table_names() == ["posts"]
        connection.execute(text("DROP TABLE posts"))
    ensure_current(store)


def test_mails_of_an_older_store_learn_their_topic(store: Store) -> None:
    """From the version of the campaign that they were planned under."""
    with store.writing() as connection:
        command.downgrade(alembic_config(connection), "0001")
        for version, definition in (("v1", "{}"), ("v2", '{"topic": "news"}')):
            words = f"'letters', '{version}', 0, '{definition}'"
            connection.execute(
                text(
                    "INSERT INTO campaign_versions (campaign_id, version, first_used_at, definition)"
                    f" VALUES ({words})"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO messages (customer_id, campaign_id, step_id, spell, version, track, status,"
                    f" planned_at, due_at, attempt) VALUES (1, 'letters', '{version}', 1, '{version}',"
                    " 'back-end', 'accepted', 0, 0, 0)"
                )
            )
    ensure_current(store)
    with store.reading() as connection:
        found = connection.execute(text("SELECT step_id, topic FROM messages ORDER BY step_id")).all()
    assert [tuple(row) for row in found] == [("v1", "marketing"), ("v2", "news")]


def test_events_of_an_order_that_waited_in_an_older_store_wait_for_its_order(store: Store) -> None:
    with store.writing() as connection:
        command.downgrade(alembic_config(connection), "0013")
        for ref, waits in (("1", '["a", "b"]'), ("2", "[]")):
            said = f'{{"said": {{"first": "2026-01-01T00:00Z"}}, "waits": {waits}}}'
            row = {"ref": ref, "said": said}
            connection.execute(text("INSERT INTO dossiers VALUES ('shopify', :ref, :said, 0)"), row)
    ensure_current(store)
    with store.reading() as connection:
        found = connection.scalars(text("SELECT said FROM dossiers ORDER BY order_ref")).all()
    assert [json.loads(said)["waits"] for said in found] == [{"order": ["a", "b"]}, {}]


def test_every_migration_can_be_undone(store: Store) -> None:
    with store.writing() as connection:
        command.downgrade(alembic_config(connection), "base")
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    ensure_current(store)
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_customer_comes_first_in_every_key_and_index_of_a_customers_table() -> None:
    """Store rule 1: so that the same schema can run distributed. Registries are the listed exceptions."""
    registries = {
        "identities",
        "suppressions",
        "lifts",
        "listed_elsewhere",
        "lists_read",
        "tombstones",
        "rates",
        "imported_under",
        "campaign_versions",
        "looks",
        "triggers",
        "leases",
        "failures",
        "pauses",
        "throttle",
        "quotas",
        "resumes",
        "generation",
        "inbound",
        "dossiers",
        "meanings",
        "spend",
    }
    for table in metadata.tables.values():
        if table.name not in registries:
            assert next(iter(table.primary_key)).name == "customer_id", table.name
            for index in table.indexes:
                assert not index.unique or index.columns[0].name == "customer_id", index.name
