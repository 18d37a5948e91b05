"""The events API: a client library's events land as facts, whatever their order."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from segment.analytics.client import Client
from sqlalchemy import select

from engine.app.hearing import take_up
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.settings import Secrets, Settings, Web
from engine.store.tables import consumption, customers, inbound, order_lines, orders
from engine.web.server import Server
from tests.receiving.ear import NOW, Ear, message, track

KEY = "a-write-key-of-some-length"


def basic(said: bytes) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(said).decode()}"}


def refusal(status: int, why: str) -> dict[str, Any]:
    return {"success": False, "code": str(status), "message": why}


BASIC = basic(f"{KEY}:".encode())
GUIDE = {"sku": "guide", "price": 19.5, "quantity": 2}
COURSE = {"product_id": "course", "price": 200, "quantity": 1, "offer": "upsell"}


class Door:
    """A server with the events API."""

    def __init__(self, folder: Path, key: str | None = KEY) -> None:
        (folder / "campaigns").mkdir(exist_ok=True)
        chosen = Settings(web=Web(port=0), secrets=Secrets(write_key=key))
        self.project = Project(folder, VirtualClock(NOW), chosen)
        self.server = Server(self.project)
        self.server.start()

    def post(self, path: str, body: bytes, headers: dict[str, str] = BASIC) -> tuple[int, Any]:
        with closing(HTTPConnection(urlsplit(self.server.address).netloc, timeout=60)) as connection:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def rows(self, *columns: Any) -> list[Any]:
        with self.project.store.reading() as connection:
            return sorted(map(tuple, connection.execute(select(*columns))), key=repr)

    def close(self) -> None:
        self.server.stop()
        self.project.store.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    opened = Door(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("gzip", [False, True])
def test_the_client_library_of_segment_lands_its_events(door: Door, gzip: bool) -> None:
    client = Client(KEY, host=door.server.address, sync_mode=True, gzip=gzip, max_retries=0)
    client.identify("u1", {"email": "Ann@loaf.example", "firstName": "Ann", "plan": "gold"})
    products = {"products": [GUIDE, COURSE]}
    client.track("u1", "Order Completed", {"order_id": "o1", "total": 240, "currency": "USD", **products})
    client.track("u1", "Lesson Completed", {"sku": "course", "unit": "lesson-1"})
    client.alias("an-anonymous-one", "u1")
    client.group("u1", "a-group")
    client.page("u1", "reading", "Sales page")
    heard = take_up(door.project, NOW)
    assert heard.received.as_json() == {"applied": 5, "ignored": 1, "parked": 0}
    assert door.rows(customers.c.email, customers.c.shop_id, customers.c.first_name) == [
        ("ann@loaf.example", "u1", "Ann")
    ]
    assert door.rows(orders.c.order_ref, orders.c.paid, orders.c.amount) == [("o1", True, 24_000)]
    assert door.rows(
        order_lines.c.sku, order_lines.c.quantity, order_lines.c.amount, order_lines.c.position
    ) == [
        ("course", 1, 20_000, "upsell"),
        ("guide", 2, 3_900, ""),
    ]
    assert door.rows(consumption.c.sku, consumption.c.unit, consumption.c.kind) == [
        ("course", "lesson-1", "completed")
    ]
    assert door.rows(inbound.c.outcome) == [("applied",)] * 5 + [("ignored",)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic ???"},
        {"Authorization": f"Bearer {KEY}"},
        basic(b"another-key:"),
        basic(f":{KEY}".encode()),
        basic(b"\xff\xfe"),
    ],
)
def test_who_has_not_the_key_is_not_let_in(door: Door, headers: dict[str, str]) -> None:
    assert door.post("/v1/track", b"{}", headers) == (401, refusal(401, "the write key is missing or wrong"))
    assert door.rows(inbound.c.event_id) == []


def test_without_a_key_nothing_is_let_in(tmp_path: Path) -> None:
    with closing(Door(tmp_path, None)) as door:
        assert door.post("/v1/track", b"{}") == (503, refusal(503, "secrets.write_key is not set"))


def test_a_message_is_kept_once_by_its_id(door: Door) -> None:
    body = json.dumps({"messageId": "m1", "userId": "u1", "event": "Order Completed"}).encode()
    for _ in range(2):
        assert door.post("/v1/track", body) == (200, {"success": True})
    batch = json.dumps(
        {"batch": [{"messageId": "m1", "type": "track"}, {"messageId": "m2", "type": "track"}]}
    )
    assert door.post("/v1/batch", batch.encode())[0] == 200
    assert door.rows(inbound.c.event_id) == [("m1",), ("m2",)]


def test_a_clock_that_is_far_off_is_set_right(ear: Ear) -> None:
    hour = timedelta(hours=1)
    lesson = {"sku": "course", "unit": "1"}
    wrong = message("track", 50, event="Lesson Started", properties=lesson)
    ear.tell("segment", {**wrong, "sentAt": (NOW + hour).isoformat()})
    right = message("track", -5, event="Lesson Completed", properties=lesson)
    ear.tell("segment", {**right, "sentAt": (NOW - timedelta(seconds=5)).isoformat()})
    minutes = {kind: (at - NOW) / timedelta(minutes=1) for kind, at in ear.rows("consumption", "kind", "at")}
    assert minutes == {"started": -10, "completed": -5}


def test_an_order_is_the_same_whatever_came_first(ear: Ear) -> None:
    told = [
        track("Order Completed", order_id="o1", checkout_id="c1", currency="USD", products=[GUIDE]),
        track("Order Updated", 5, order_id="o1", products=[GUIDE, COURSE]),
        track("Order Refunded", 9, order_id="o1", refund_id="r1", products=[GUIDE]),
        track("Order Cancelled", 12, order_id="o1"),
        message("identify", 1, traits={"email": "ann@loaf.example", "plan": "gold"}),
    ]
    ends = []
    for order in (
        told,
        told[::-1],
        [told[2], told[3], told[0], told[1], told[4]],
        [told[1], told[3], told[0], told[2], told[4]],
    ):
        ear.forget()
        for event in order:
            ear.tell("segment", event)
            ear.tell("segment", event)
        assert ear.verdicts() == [("applied", None)] * 5
        ends.append(ear.facts())
    assert ends[1:] == ends[:1] * 3
    assert ear.rows("orders", "order_ref", "amount", "checkout_id", "at") == [("o1", 23_900, "c1", NOW)]
    assert ear.rows("refunds", "refund_ref", "sku", "amount") == [
        ("refund:o1/cancelled", "", 22_000 - 50),
        ("refund:o1/r1", "guide", 1_950),
    ]
