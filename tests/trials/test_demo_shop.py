"""The invented shop: the same for the same seed, never later than now, and rich enough to learn from."""

import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from email_validator import validate_email

from engine.clock import parse_instant
from engine.trials.bundle import bundled_catalogue
from engine.trials.demo_shop import FILES, write_demo_shop

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Rows = list[dict[str, str]]
Shop = dict[str, Rows]

HEADERS = {
    "customers.csv": "email,shop_id,first_name,last_name,country,locale,timezone,known_at,attribute.bakes",
    "consent.csv": "email,topic,granted,at,basis,source",
    "orders.csv": "order_id,email,at,paid,line_id,sku,quantity,unit_price,currency,checkout_id,position,"
    "source,medium,campaign,refunded_at,refund_amount",
    "subscriptions.csv": "email,subscription_id,sku,status,at,renews_at,ends_at",
    "consumption.csv": "email,sku,unit,kind,at,progress",
}


def read(folder: Path) -> Shop:
    shop = {}
    for name in FILES:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            shop[name.removesuffix(".csv")] = list(csv.DictReader(file))
    return shop


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_demo_shop(folder, seed=7, now=NOW)
    return folder


@pytest.fixture(scope="module")
def shop(folder: Path) -> Shop:
    return read(folder)


@pytest.mark.parametrize("name", HEADERS)
def test_the_header_is_canonical(folder: Path, name: str) -> None:
    assert (folder / name).read_text(encoding="utf-8").split("\n")[0] == HEADERS[name]


def test_the_same_seed_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_demo_shop(tmp_path, seed=7, now=NOW)
    assert all((tmp_path / name).read_bytes() == (folder / name).read_bytes() for name in FILES)


def test_another_seed_invents_other_people(folder: Path, tmp_path: Path) -> None:
    write_demo_shop(tmp_path, seed=8, now=NOW)
    assert all((tmp_path / name).read_bytes() != (folder / name).read_bytes() for name in FILES)


def test_fewer_customers_are_the_first_of_many(shop: Shop, tmp_path: Path) -> None:
    write_demo_shop(tmp_path, seed=7, customers=100, now=NOW)
    few = read(tmp_path)["customers"]
    assert len(few) == 100
    assert all(row in shop["customers"] for row in few)


def test_now_in_another_zone_is_the_same_instant(folder: Path, tmp_path: Path) -> None:
    write_demo_shop(tmp_path, seed=7, now=NOW.astimezone(ZoneInfo("America/New_York")))
    assert (tmp_path / "orders.csv").read_bytes() == (folder / "orders.csv").read_bytes()


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("customers", "known_at"),
        ("consent", "at"),
        ("orders", "at"),
        ("orders", "refunded_at"),
        ("subscriptions", "at"),
        ("consumption", "at"),
    ],
)
def test_every_instant_is_utc_and_not_later_than_now(shop: Shop, kind: str, column: str) -> None:
    instants = [row[column] for row in shop[kind] if row[column]]
    assert all(instant.endswith("Z") and parse_instant(instant) <= NOW for instant in instants)
    assert parse_instant(max(instants)) > NOW - timedelta(days=3)


def test_there_are_two_thousand_different_customers(shop: Shop) -> None:
    customers = shop["customers"]
    assert len({row["email"] for row in customers}) == len({row["shop_id"] for row in customers}) == 2000


def test_every_address_is_valid_and_nobody_s(shop: Shop) -> None:
    for row in shop["customers"]:
        found = validate_email(row["email"], check_deliverability=False)
        assert found.domain in ("example.com", "example.org", "example.net")


def test_facts_are_about_known_people_and_not_before_they_were_known(shop: Shop) -> None:
    known = {row["email"]: row["known_at"] for row in shop["customers"]}
    facts = [*shop["consent"], *shop["orders"], *shop["subscriptions"], *shop["consumption"]]
    assert all(known[row["email"]] <= row["at"] for row in facts)


def test_what_is_sold_and_used_stands_in_the_catalogue(shop: Shop) -> None:
    catalogue = bundled_catalogue()
    assert {row["sku"] for row in shop["orders"]} == set(catalogue)
    assert all(not row["unit"] or row["unit"] in catalogue[row["sku"]].units for row in shop["consumption"])


def test_nobody_uses_what_they_have_not_bought(shop: Shop) -> None:
    bought: dict[tuple[str, str], str] = {}
    for row in shop["orders"]:
        if row["paid"] == "true":
            bought.setdefault((row["email"], row["sku"]), row["at"])
    assert all(bought[row["email"], row["sku"]] <= row["at"] for row in shop["consumption"])


def test_a_refund_comes_after_its_order_and_is_at_most_the_line(shop: Shop) -> None:
    refunded = [row for row in shop["orders"] if row["refunded_at"]]
    paid = [Decimal(row["unit_price"]) * int(row["quantity"]) for row in refunded]
    back = [Decimal(row["refund_amount"]) for row in refunded]
    assert all(row["refunded_at"] > row["at"] for row in refunded)
    assert all(0 < some <= whole for some, whole in zip(back, paid, strict=True))
    assert any(some < whole for some, whole in zip(back, paid, strict=True))


def test_who_sent_a_product_back_uses_it_no_more(shop: Shop) -> None:
    back: dict[tuple[str, str], datetime] = {}
    for row in shop["orders"]:
        if row["refunded_at"]:
            back[row["email"], row["sku"]] = parse_instant(row["refunded_at"])
    used = [row for row in shop["consumption"] if (row["email"], row["sku"]) in back]
    within_the_hour = timedelta(hours=1)  # a unit that was begun is finished
    assert used
    for row in used:
        assert parse_instant(row["at"]) <= back[row["email"], row["sku"]] + within_the_hour


def test_a_subscription_is_paid_whenever_it_begins_anew(shop: Shop) -> None:
    paid = {(row["email"], row["at"]) for row in shop["orders"] if row["sku"] == "membership"}
    begun = {(row["email"], row["at"]) for row in shop["subscriptions"] if row["status"] == "active"}
    assert begun == paid


def test_what_was_cancelled_runs_to_the_end_of_its_month(shop: Shop) -> None:
    renews: dict[str, str] = {}
    for row in shop["subscriptions"]:
        if row["status"] == "cancelled":
            assert row["ends_at"] == renews[row["subscription_id"]] > row["at"]
        renews[row["subscription_id"]] = row["renews_at"]


def test_lines_of_one_order_agree(shop: Shop) -> None:
    orders: dict[str, set[tuple[str, ...]]] = {}
    for row in shop["orders"]:
        said = tuple(row[name] for name in ("email", "at", "paid", "checkout_id", "source"))
        orders.setdefault(row["order_id"], set()).add(said)
    assert all(len(said) == 1 for said in orders.values())


def test_an_upsell_shares_the_checkout_of_the_first_order(shop: Shop) -> None:
    checkouts: dict[str, set[str]] = {}
    for row in shop["orders"]:
        if row["checkout_id"]:
            checkouts.setdefault(row["checkout_id"], set()).add(row["position"])
    assert all("core" in positions for positions in checkouts.values())
    assert sum("upsell" in positions for positions in checkouts.values()) > 50


def test_most_readers_stall(shop: Shop) -> None:
    finished = Counter(
        row["unit"] for row in shop["consumption"] if row["sku"] == "flagship" and row["kind"] == "completed"
    )
    reached = [finished[f"lesson-{number}"] for number in range(1, 13)]
    assert reached == sorted(reached, reverse=True)
    assert 0 < reached[-1] < reached[0] / 3


@pytest.mark.parametrize(
    ("what", "kind", "holds", "at_least"),
    [
        ("no first name", "customers", lambda row: not row["first_name"], 50),
        ("no time zone", "customers", lambda row: not row["timezone"], 100),
        ("markup in a name", "customers", lambda row: "<b>" in row["first_name"], 1),
        ("an apostrophe in a name", "customers", lambda row: "'" in row["last_name"], 1),
        ("an apostrophe in an address", "customers", lambda row: "'" in row["email"], 1),
        ("a name that looks like a template", "customers", lambda row: "{{" in row["first_name"], 1),
        ("a name that looks like a formula", "customers", lambda row: row["first_name"][:1] == "=", 1),
        ("a name beyond ASCII", "customers", lambda row: not row["first_name"].isascii(), 10),
        ("a bump", "orders", lambda row: row["position"] == "bump", 100),
        ("a downsell", "orders", lambda row: row["position"] == "downsell", 10),
        ("a refund", "orders", lambda row: row["refunded_at"], 50),
        ("a free order", "orders", lambda row: row["unit_price"] == "0.00", 50),
        ("an unpaid order", "orders", lambda row: row["paid"] == "false", 10),
        ("a reduced price", "orders", lambda row: row["unit_price"] == "77.60", 10),
        ("an opt-out later", "consent", lambda row: row["source"] == "unsubscribe link", 50),
        ("a no at checkout", "consent", lambda row: row["granted"] == "false", 50),
        ("a start without an end", "consumption", lambda row: row["kind"] == "started", 500),
        (
            "progress in percent",
            "consumption",
            lambda row: row["kind"] == "progressed" and row["progress"],
            100,
        ),
        ("a failed payment", "subscriptions", lambda row: row["status"] == "past_due", 3),
        ("a cancellation", "subscriptions", lambda row: row["status"] == "cancelled", 30),
        ("a renewal to come", "subscriptions", lambda row: row["renews_at"] > "2026-03-10T09", 40),
        ("use of a whole product", "consumption", lambda row: not row["unit"], 100),
    ],
)
def test_there_is(
    shop: Shop, what: str, kind: str, holds: Callable[[dict[str, str]], Any], at_least: int
) -> None:
    assert sum(bool(holds(row)) for row in shop[kind]) >= at_least, what


def test_some_are_on_record_without_consent_and_some_without_an_order(shop: Shop) -> None:
    people = {row["email"] for row in shop["customers"]}
    assert len(people - {row["email"] for row in shop["consent"]}) > 100
    assert len(people - {row["email"] for row in shop["orders"]}) > 50


def test_they_come_from_several_places(shop: Shop) -> None:
    assert len({(row["source"], row["medium"]) for row in shop["orders"]}) >= 8
    assert len({row["country"] for row in shop["customers"]}) >= 8
    assert len({row["locale"] for row in shop["customers"]}) >= 8
