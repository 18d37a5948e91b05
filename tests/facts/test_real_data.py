"""The documented examples over real files, held against a plain count of the same files."""

import csv
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.facts.importing import ImportJob
from engine.facts.mapping import load_mapping
from tests.conftest import ROOT

from .conftest import TestShop

pytestmark = pytest.mark.real_data
EXAMPLES = ROOT / "docs" / "examples"
LONDON = ZoneInfo("Europe/London")


def online_retail(real_data: Path, name: str = "online_retail_400_customers.csv") -> ImportJob:
    return ImportJob(
        real_data / "online_retail" / name, mapping=load_mapping(EXAMPLES / "online_retail.map.yaml")
    )


def pence(row: dict[str, str]) -> Decimal:
    return 100 * int(row["Quantity"]) * Decimal(row["UnitPrice"])


def seconds(row: dict[str, str]) -> int:
    local = datetime.strptime(row["InvoiceDate"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=LONDON)
    return int(local.astimezone(UTC).timestamp())


def cannot_land(row: dict[str, str]) -> bool:
    negative = not row["InvoiceNo"].startswith("C") and pence(row) < 0
    return not row["CustomerID"] or negative or pence(row) % 1 != 0


def test_online_retail(pound_shop: TestShop, real_data):
    [summary] = pound_shop.run(online_retail(real_data))
    with (real_data / "online_retail" / "online_retail_400_customers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    too_fine = [row for row in rows if pence(row) % 1]
    good = [row for row in rows if not pence(row) % 1]
    sales = [row for row in good if not row["InvoiceNo"].startswith("C")]
    credits_ = [row for row in good if row["InvoiceNo"].startswith("C")]
    assert (summary.read, summary.inserted, summary.rejected) == (37_172, len(good), len(too_fine))
    assert len(too_fine) == 2

    owed: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in sales:
        owed[row["CustomerID"].removesuffix(".0"), row["InvoiceNo"]] += pence(row)
    shop_ids = dict(pound_shop.rows("customers", "customer_id", "shop_id"))
    orders = pound_shop.rows("orders", "customer_id", "order_ref", "amount", "currency")
    assert {(shop_ids[who], ref): amount for who, ref, amount, _ in orders} == owed
    assert {currency for *_, currency in orders} == {"GBP"}

    bought = sorted((row["InvoiceNo"], row["StockCode"], int(row["Quantity"]), pence(row)) for row in sales)
    assert sorted(pound_shop.rows("order_lines", "order_ref", "sku", "quantity", "amount")) == bought
    back = sorted((row["StockCode"], seconds(row) * 1_000_000, -pence(row)) for row in credits_)
    assert sorted(pound_shop.rows("refunds", "sku", "at", "amount")) == back
    assert set(pound_shop.rows("refunds", "order_ref")) == {""}

    first: dict[str, int] = {}
    for row in good:
        who = row["CustomerID"].removesuffix(".0")
        first[who] = min(first.get(who, 2**60), seconds(row) * 1_000_000)
    assert dict(pound_shop.rows("customers", "shop_id", "known_at")) == first
    assert len(first) == 400

    before = pound_shop.everything()
    [again] = pound_shop.run(online_retail(real_data))
    assert again.unchanged == len(good)
    assert pound_shop.everything() == before


def test_online_retail_day_by_day(pound_shop: TestShop, real_data):
    """Daily files: rows without a customer are rejected, and each day only adds."""
    days = sorted((real_data / "online_retail" / "by-day").iterdir())[:3]
    nobody = 0
    for day in days:
        [summary] = pound_shop.run(online_retail(real_data, f"by-day/{day.name}"))
        with day.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert (summary.read, summary.updated, summary.unchanged) == (len(rows), 0, 0)
        assert summary.rejected == sum(map(cannot_land, rows))
        nobody += dict(summary.reasons).get("names no customer: email, shop_id and anonymous_id are blank", 0)
    assert nobody > 1000


def test_cdnow(shop: TestShop, real_data):
    job = ImportJob(
        real_data / "cdnow" / "CDNOW_sample.txt", mapping=load_mapping(EXAMPLES / "cdnow.map.yaml")
    )
    [summary] = shop.run(job)
    rows = [line.split() for line in job.path.read_text().splitlines()]
    cents = sum(int(dollars.replace(".", "")) for *_, dollars in rows)
    assert (summary.read, summary.inserted, summary.rejected) == (6_919, 6_919, 0)
    assert len(shop.rows("order_lines", "line_ref")) == 6_919
    assert len(shop.rows("customers", "customer_id")) == len({row[0] for row in rows}) == 2_357
    assert len(shop.rows("orders", "order_ref")) == len({(row[0], row[2]) for row in rows})
    assert (
        sum(shop.rows("orders", "amount")) == sum(shop.rows("order_lines", "amount")) == cents == 24_409_194
    )
    assert sum(shop.rows("order_lines", "quantity")) == sum(int(row[3]) for row in rows)
    assert shop.run(job)[0].unchanged == 6_919
