"""Orders that come again, changed: nobody keeps what was never theirs, and no row is lost by another's fault."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.facts.catalogue import Catalogue
from engine.facts.importing import ImportJob, ImportSummary, import_files
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.tables import customers, order_lines, orders, transactions
from tests.conftest import NOW

HEADER = "order_id,email,at,sku,quantity,unit_price\n"
ANN = "1,ann@example.com,2026-03-01T10:00:00Z,guide,1,7.00\n"
BOB = ANN.replace("ann@", "bob@")
BOTH = ANN + ANN.replace("guide,1,7.00", "course,1,97.00")

Import = Callable[[str], ImportSummary]


@pytest.fixture
def bring(store: Store, ids: IdFactory, tmp_path: Path) -> Import:
    """Import rows of orders."""

    def import_rows(rows: str) -> ImportSummary:
        file = tmp_path / "orders.csv"
        file.write_text(HEADER + rows)
        jobs = [ImportJob(file, "orders")]
        [summary] = import_files(
            store,
            Settings(),
            Catalogue(),
            jobs,
            now=NOW,
            ids=ids,
            rejects_folder=tmp_path,
            progress=lambda _: None,
        )
        return summary

    return import_rows


def owners(store: Store, table: Any) -> set[str]:
    with store.reading() as connection:
        theirs = select(customers.c.email).join(table, table.c.customer_id == customers.c.customer_id)
        return {str(email) for email in connection.scalars(theirs)}


def skus(store: Store) -> set[str]:
    with store.reading() as connection:
        return set(connection.scalars(select(order_lines.c.sku)))


def test_an_order_that_was_somebody_elses_is_theirs_no_longer(store: Store, bring: Import) -> None:
    bring(ANN)
    summary = bring(BOB)
    assert (summary.inserted, summary.updated) == (0, 1)
    for table in (orders, order_lines, transactions):
        assert owners(store, table) == {"bob@example.com"}, table.name
    assert bring(BOB).unchanged == 1


def test_an_order_with_a_bad_row_replaces_no_stored_one(store: Store, bring: Import) -> None:
    bring(BOTH)
    summary = bring(BOTH.replace("97.00", "xx"))
    assert (summary.updated, summary.rejected) == (0, 2)
    assert skus(store) == {"guide", "course"}
    assert bring(BOTH.replace("97.00", "90.00")).updated == 2


def test_a_new_order_with_a_bad_row_lands_with_its_good_ones(store: Store, bring: Import) -> None:
    summary = bring(BOTH.replace("97.00", "xx"))
    assert (summary.inserted, summary.rejected) == (1, 1)
    assert skus(store) == {"guide"}


def test_an_order_divided_among_two_files_is_told(bring: Import) -> None:
    first, second = BOTH.splitlines(keepends=True)
    assert bring(first).notes == ()
    [note] = bring(second).notes
    assert note.startswith("orders that came again without some of their lines, and lost them: 1, such as 1;")
    assert bring(second).notes == ()
