"""Events through the command line: what is parked is told with its reason, mended, and taken up anew."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from engine.app.hearing import drain, take_in_facts
from engine.app.project import Project
from engine.clock import VirtualClock
from tests.receiving.ear import message, track
from tests.shops import TWO, start
from tests.stories.conftest import Aftersale

ANN = {"email": "ann@loaf.example"}
FOREIGN = track("Order Completed", order_id="o1", currency="EUR", products=[{"sku": "guide", "price": 10}])


@pytest.fixture
def shop(tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("AFTERSALE_SECRETS__WRITE_KEY", "a-write-key-of-some-length")
    start(tmp_path, TWO)
    return Project(tmp_path, clock)


def test_what_is_parked_is_told_mended_and_taken_up_anew(aftersale: Aftersale, shop: Project) -> None:
    told = [message("identify", traits=ANN), FOREIGN, {"messageId": "poison", "type": "track\0"}]
    take_in_facts(shop, "segment", [(each["messageId"], each) for each in told])
    said = aftersale("run", "--once")
    assert (said.code, "events: 1 applied, 2 parked" in said.err) == (0, True)
    found = aftersale("events", "--json").json
    assert (found["count"], {each["source"] for each in found["parked"]}) == (2, {"segment"})
    errors = {each["event_id"]: each["error"] for each in found["parked"]}
    assert errors["poison"] == "type is none of identify, track, page, screen, alias, group"
    assert "has no exchange rate of its day" in errors[FOREIGN["messageId"]]
    assert "2 of 2 parked events" in aftersale("events", "--source", "segment").out
    assert aftersale("events", "--source", "xapi", "--json").json["count"] == 0
    assert aftersale("events", "--source", "xapi").out == "No event is parked.\n"
    assert "could not be taken up" in aftersale("doctor").out
    Path("rates.csv").write_text("currency,day,rate\nEUR,2026-03-10,1.1\n")
    aftersale("import", "rates.csv")
    said = aftersale("events", "replay")
    assert said.out == "2 events taken up anew; 1 parked again\n"
    before = aftersale("export", "customer", "ann@loaf.example").json
    assert [order["amount"] for order in before["orders"]] == [1_100]
    again = aftersale("events", "replay", "--source", "segment", "--all", "--json").json
    assert again == {"replayed": 3, "applied": 2, "ignored": 0, "parked": 1, "nobody": 0, "test": 0}
    assert aftersale("export", "customer", "ann@loaf.example").json["orders"] == before["orders"]
    assert aftersale("events", "--source", "strype").code != 0


def test_what_was_sold_to_nobody_or_as_a_test_is_counted(aftersale: Aftersale, shop: Project) -> None:
    at = "2026-03-10T09:00:00Z"
    till = {"id": 1, "financial_status": "paid", "total_price": "5.00", "updated_at": at, "line_items": []}
    take_in_facts(shop, "shopify", [("s1", {"topic": "orders/paid", "body": till})])
    take_in_facts(shop, "stripe", [("e1", {"id": "e1", "type": "charge.succeeded", "livemode": False})])
    assert "events: 1 of nobody, 1 of tests" in aftersale("run", "--once").err
    said = aftersale("events")
    told = (
        "1 event told of people without a name, such as at a till: of no customer.\n"
        "1 event told of a test, and not of a sale: receiving.test_sales takes such as well.\n"
    )
    assert (said.out, said.err) == ("No event is parked.\n", told)
    assert aftersale("events", "--json").json == {"count": 0, "parked": [], "nobody": 1, "test": 1}
    assert "could not be taken up" not in aftersale("doctor").out


def test_a_source_that_falls_silent_is_named(
    aftersale: Aftersale, shop: Project, clock: VirtualClock
) -> None:
    take_in_facts(shop, "segment", [("m1", message("identify", traits=ANN))])
    drain(shop)
    clock.advance(timedelta(days=7))
    assert aftersale("status", "--json").json["silent"] == []
    clock.advance(timedelta(seconds=1))
    told = "segment has told nothing since 2026-03-10 09:00Z, for longer than 7d"
    assert told in aftersale("status").out
    assert told in aftersale("doctor").out
    assert aftersale("status", "--json").json["silent"][0]["source"] == "segment"
    take_in_facts(shop, "segment", [("m2", message("identify", traits=ANN))])
    drain(shop)
    assert told not in aftersale("status").out


def test_who_is_erased_is_in_no_event_and_comes_back_by_none(
    aftersale: Aftersale, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_SECRETS__SIGNING", "a signing secret of some length")
    order = track("Order Completed", order_id="o1", products=[{"sku": "guide", "price": 10}])
    others = track("Order Completed", order_id="o2", who="u2", products=[{"sku": "guide", "price": 10}])
    told = [message("identify", traits=ANN), order, others]
    take_in_facts(shop, "segment", [(each["messageId"], each) for each in told])
    aftersale("run", "--once")
    hers = aftersale("export", "customer", "ann@loaf.example").json
    of_her = {told[0]["messageId"], order["messageId"]}
    assert {each["body"]["messageId"] for each in hers["inbound"]} == of_her
    assert [(each["order_ref"], "said" in each["said"]) for each in hers["dossiers"]] == [("o1", True)]
    assert aftersale("erase", "ann@loaf.example", "--yes").code == 0
    with shop.store.reading() as connection:
        kept = json.dumps([list(map(str, row)) for table in ("inbound", "dossiers")
                           for row in connection.exec_driver_sql(f"SELECT * FROM {table}")])  # fmt: skip
    assert ("u1" in kept, "ann@" in kept, "u2" in kept) == (False, False, True)
    take_in_facts(shop, "segment", [("again", {**order, "messageId": "again"})])
    aftersale("run", "--once")
    with shop.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT order_ref FROM dossiers").scalars().all() == ["o2"]
        assert connection.exec_driver_sql("SELECT order_ref FROM orders").scalars().all() == ["o2"]
