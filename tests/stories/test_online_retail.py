"""Rules over the Online Retail cut count whom plain SQL over the raw file counts, at several instants."""

import csv
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.clock import VirtualClock, parse_instant, to_micros
from engine.documents import parse_document
from engine.facts.catalogue import Catalogue
from engine.facts.importing import ImportJob, import_files
from engine.facts.mapping import load_mapping
from engine.rules.model import Scope
from engine.rules.parse import RuleParser
from engine.rules.people import people
from engine.settings.model import Settings
from engine.settings.shop import Shop
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.migrate import ensure_current
from tests.conftest import NOW, ROOT

DAY = 86_400_000_000
INSTANTS = ["2010-12-08T12:30Z", "2011-03-27T01:30Z", "2011-07-14T00:00Z", "2011-12-10T00:00Z"]

# rule: the same question in plain SQL over `line(invoice, sku, quantity, pence, at, who)`, `credit(…)`
# and `sale(invoice, who, at, pence)`; :at is the instant in microseconds, :d a day
RULES = {
    "{bought: {product: 85123A}}": "select distinct who from line where sku = '85123A' and at <= :at",
    "{bought: {product: '22423', within: 90d}}": (
        "select distinct who from line where sku = '22423' and at between :at - 90 * :d and :at"
    ),
    "{bought: {product: 85123A, older_than: 30d, within: 200d}}": (
        "select distinct who from line where sku = '85123A' and at between :at - 200 * :d and :at - 30 * :d"
    ),
    "{bought: {any: true, at_least: 5}}": (
        "select who from line where at <= :at group by who having count(distinct invoice) >= 5"
    ),
    "{bought: {product: 85123A, quantity: {at_least: 20}}}": (
        "select who from line where sku = '85123A' and at <= :at group by who having sum(quantity) >= 20"
    ),
    "{bought: {product: '22423', at_most: 1}}": (
        "select who from known where who not in"
        " (select who from line where sku = '22423' and at <= :at group by who having count(distinct invoice) > 1)"
    ),
    "{ordered: {at_least: 3, within: 180d}}": (
        "select who from sale where pence > 0 and at between :at - 180 * :d and :at group by who having count(*) >= 3"
    ),
    "{ordered: {amount: {at_least: 500}}}": "select distinct who from sale where pence >= 50000 and at <= :at",
    "{spent: {at_least: 1000}}": (
        "select who from (select who, pence from sale where at <= :at"
        " union all select who, -pence from credit where at <= :at) group by who having sum(pence) >= 100000"
    ),
    "{spent: {at_most: 100, within: 90d}}": (
        "select who from known where who not in"
        " (select who from (select who, pence from sale where at between :at - 90 * :d and :at"
        " union all select who, -pence from credit where at between :at - 90 * :d and :at)"
        " group by who having sum(pence) > 10000)"
    ),
    "{spent: {at_least: 50, product: '22423'}}": (
        "select who from (select who, pence from line where sku = '22423' and at <= :at"
        " union all select who, -pence from credit where sku = '22423' and at <= :at)"
        " group by who having sum(pence) >= 5000"
    ),
    "{last_order: {older_than: 60d}}": (
        "select who from sale where pence > 0 and at <= :at group by who having max(at) <= :at - 60 * :d"
    ),
    "{last_order: {within: 30d, older_than: 7d}}": (
        "select who from sale where pence > 0 and at <= :at"
        " group by who having max(at) between :at - 30 * :d and :at - 7 * :d"
    ),
    "{all: [{ordered: {within: 60d}}, {not: {bought: {product: '22423'}}}]}": (
        "select distinct who from sale where pence > 0 and at between :at - 60 * :d and :at"
        " and who not in (select who from line where sku = '22423' and at <= :at)"
    ),
    "{any: [{bought: {product: '21034'}}, {spent: {at_least: 5000}}]}": (
        "select who from line where sku = '21034' and at <= :at union"
        " select who from (select who, pence from sale where at <= :at"
        " union all select who, -pence from credit where at <= :at) group by who having sum(pence) >= 500000"
    ),
}


@pytest.fixture(scope="module")
def shop(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The cut, imported by the documented map."""
    folder = tmp_path_factory.mktemp("retail")
    store = Store(f"sqlite:///{folder}/store.db")
    ensure_current(store)
    mapping = load_mapping(ROOT / "docs" / "examples" / "online_retail.map.yaml")
    [summary] = import_files(
        store,
        Settings(shop=Shop(currency="GBP")),
        Catalogue(),
        [ImportJob(real_data / "online_retail" / "online_retail_400_customers.csv", mapping=mapping)],
        now=NOW,
        ids=IdFactory(VirtualClock(NOW), seed=1),
        rejects_folder=folder,
        progress=lambda _: None,
    )
    assert (summary.read, summary.inserted, summary.rejected) == (37_172, 37_170, 2)
    yield store
    store.close()


@pytest.fixture(scope="module")
def raw(real_data: Path) -> sqlite3.Connection:
    """The same file, read by nothing of ours."""
    plain = sqlite3.connect(":memory:")
    plain.execute("create table line (invoice, sku, quantity integer, pence integer, at integer, who)")
    plain.execute("create table credit (invoice, sku, quantity integer, pence integer, at integer, who)")
    with (real_data / "online_retail" / "online_retail_400_customers.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            _take(plain, row)
    plain.execute("create index by_invoice on line (invoice, at)")
    # an invoice that was a minute in the making is one order, placed when it began
    plain.execute("update line set at = (select min(at) from line same where same.invoice = line.invoice)")
    plain.execute(
        "create table sale as select invoice, who, min(at) at, sum(pence) pence from line group by invoice, who"
    )
    return plain


def _take(plain: sqlite3.Connection, row: dict[str, Any]) -> None:
    pence = int(row["Quantity"]) * Decimal(row["UnitPrice"]) * 100
    if pence != int(pence):  # finer than a penny: the import refuses these, and so do we
        return
    local = datetime.strptime(row["InvoiceDate"], "%Y-%m-%d %H:%M:%S").replace(
        tzinfo=ZoneInfo("Europe/London")
    )
    table = "credit" if row["InvoiceNo"].startswith("C") else "line"
    who = row["CustomerID"].removesuffix(".0")
    values = (row["InvoiceNo"], row["StockCode"], int(row["Quantity"]), abs(int(pence)))
    plain.execute(
        f"insert into {table} values (?, ?, ?, ?, ?, ?)", (*values, to_micros(local.astimezone(UTC)), who)
    )


@pytest.mark.real_data
@pytest.mark.parametrize("at", INSTANTS)
@pytest.mark.parametrize("rule", RULES)
def test_a_rule_counts_whom_plain_sql_counts(
    shop: Store, raw: sqlite3.Connection, rule: str, at: str
) -> None:
    moment = to_micros(parse_instant(at))
    seen = "select who, at from line union all select who, at from credit"
    known = f"with known as (select distinct who from ({seen}) where at <= :at) "
    expected = raw.execute(known + RULES[rule], {"at": moment, "d": DAY}).fetchall()
    with shop.reading() as connection:
        found = connection.execute(_people(rule, at)).fetchall()
    assert len(found) == len(expected)


def _people(text: str, at: str) -> Any:
    document = parse_document("rule.yaml", text)
    parser = RuleParser(document, Catalogue())
    rule = parser.parse(document.data, ())
    assert all("unknown product" in problem.message for problem in parser.problems)
    return people(rule, Scope(parse_instant(at), Catalogue()))


@pytest.mark.real_data
def test_the_counts_are_not_all_the_same(raw: sqlite3.Connection) -> None:
    """A table of zeros would prove nothing."""
    known = "with known as (select distinct who from line where at <= :at) "
    last = {"at": to_micros(parse_instant(INSTANTS[-1])), "d": DAY}
    counts = [len(raw.execute(known + sql, last).fetchall()) for sql in RULES.values()]
    assert sum(count > 5 for count in counts) > 12
    assert len(set(counts)) > 10
