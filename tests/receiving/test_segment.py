"""The events API: a client library's events land as facts, whatever their order."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import permutations
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any
from urllib.parse import urlsplit

import pytest
from segment.analytics.client import Client
from sqlalchemy import select

from engine.app.hearing import take_up
from engine.facts.receiving.sources import SOURCES
from engine.settings.model import Settings
from engine.settings.secrets import Secrets
from engine.settings.web import Web
from engine.store.tables import consumption, customers, inbound, order_lines, orders
from tests.receiving.ear import NOW, Ear, message, track
from tests.web.door import Door as AnyDoor

KEY = "a-write-key-of-some-length"


def basic(said: bytes) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(said).decode()}"}


def refusal(status: int, why: str) -> dict[str, Any]:
    return {"success": False, "code": str(status), "message": why}


BASIC = basic(f"{KEY}:".encode())
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
GUIDE = {"sku": "guide", "price": 19.5, "quantity": 2}
COURSE = {"product_id": "course", "price": 200, "quantity": 1, "offer": "upsell"}


class Door(AnyDoor):
    """A server with the events API."""

    def __init__(self, folder: Path, key: str | None = KEY, **more: Any) -> None:
        super().__init__(folder, Settings(web=Web(port=0), secrets=Secrets(write_key=key), **more))

    def post(self, path: str, body: bytes, headers: dict[str, str] = BASIC) -> tuple[int, Any]:
        with closing(HTTPConnection(urlsplit(self.server.address).netloc, timeout=60)) as connection:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def rows(self, *columns: Any) -> list[Any]:
        with self.reading() as connection:
            return sorted(map(tuple, connection.execute(select(*columns))), key=repr)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    opened = Door(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    opened = Door(tmp_path, database=request.getfixturevalue(f"{request.param}_url"))
    yield opened
    opened.close()


@pytest.mark.parametrize("gzip", [False, True])
def test_the_client_library_of_segment_lands_its_events(either_door: Door, gzip: bool) -> None:
    door = either_door
    client = Client(KEY, host=door.server.address, sync_mode=True, gzip=gzip, max_retries=0)
    client.identify("u1", {"email": "Ann@loaf.example", "firstName": "Ann", "plan": "gold"})
    products = {"products": [GUIDE, COURSE]}
    client.track("u1", "Order Completed", {"order_id": "o1", "total": 240, "currency": "USD", **products})
    client.track("u1", "Lesson Completed", {"sku": "course", "unit": "lesson-1"})
    client.alias("an-anonymous-one", "u1")
    client.group("u1", "a-group")
    client.page("u1", "reading", "Sales page")
    heard = take_up(door.project, NOW)
    assert heard.received.as_json() == {"applied": 5, "ignored": 1, "parked": 0, "nobody": 0, "test": 0}
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


DAY = timedelta(days=1)
AGES = timedelta(days=20_000)


@pytest.mark.parametrize(
    ("happened", "sent", "taken"),  # before it came
    [
        (-50 * MINUTE, -60 * MINUTE, 10 * MINUTE),  # the clock is an hour fast
        (5 * MINUTE, 5 * SECOND, 5 * MINUTE),
        (AGES, AGES - MINUTE, MINUTE),  # the clock says 1970
        (3 * DAY + AGES, AGES, 3 * DAY),  # and it was offline for three days
        (10 * MINUTE, AGES, 10 * MINUTE),  # only the time of sending is of 1970
        (10 * MINUTE, -AGES, 10 * MINUTE),
        (AGES, 5 * MINUTE, AGES),  # what happened long ago is told by a clock that is slow
        (-DAY, AGES, 0 * DAY),
        (-120 * MINUTE, 5 * SECOND, 0 * DAY),  # local time, told as that of Greenwich
        (-120 * MINUTE, None, 0 * DAY),
    ],
)
def test_a_clock_that_is_off_is_set_right_and_nonsense_moves_nothing(
    ear: Ear, happened: timedelta, sent: timedelta | None, taken: timedelta
) -> None:
    lesson = {"sku": "course", "unit": "1"}
    told = message("track", -happened / MINUTE, event="Lesson Started", properties=lesson)
    ear.heard_at = NOW
    ear.tell("segment", told if sent is None else {**told, "sentAt": (NOW - sent).isoformat()})
    assert ear.rows("consumption", "at") == [(NOW - taken,)]


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
        ("refund:o1/cancelled", "", 20_000),
        ("refund:o1/r1", "guide", 3_900),
    ]


# ── the examples of the specification ───────────────────────────────────────────────────────────

ORDER = "50314b8e9bcf000000000000"
BOUGHT = [("45790-32", 1, 1_900), ("46493-32", 2, 600)]
PETER = ("peter@example.com", "97980cfea0067")
EXAMPLES: dict[str, tuple[str, dict[tuple[str, ...], list[Any]]]] = {
    "alias_01_syntax": ("applied", {("customers", "email", "shop_id"): [("jen@email.com", "507f191e81")]}),
    "alias_02_syntax": ("applied", {("identities", "kind", "value"): [("anonymous_id", "before"), ("shop_id", "u1")]}),
    "alias_03_examples": ("applied", {("customers", "email", "shop_id"): [(None, "507f191e81")]}),
    "ecommerce_v2_11_checkout_started": ("applied", {("funnel_events", "what"): [("checkout_started",)]}),
    "ecommerce_v2_12_checkout_step_viewed": ("applied", {("funnel_events", "what", "stage", "checkout_id"): [("visited", "checkout step 2", ORDER)]}),
    "ecommerce_v2_13_checkout_step_completed": ("applied", {("funnel_events", "what", "stage"): [("visited", "checkout step completed 2")]}),
    "ecommerce_v2_14_payment_info_entered": ("applied", {("funnel_events", "what", "stage"): [("visited", "payment info entered")]}),
    "ecommerce_v2_15_order_updated": ("applied", {("order_lines", "sku", "quantity", "amount"): BOUGHT, ("orders", "order_ref", "amount"): [(ORDER, 2_750)]}),
    "ecommerce_v2_16_order_completed": ("applied", {("order_lines", "sku", "quantity", "amount"): BOUGHT, ("orders", "checkout_id"): [("fksdjfsdjfisjf9sdfjsd9f",)]}),
    "ecommerce_v2_17_order_refunded": ("parked", {("inbound", "error"): [("is of an order that is not known; import the order first",)]}),
    "ecommerce_v2_18_order_cancelled": ("parked", {("inbound", "error"): [("is of an order that is not known; import the order first",)]}),
    "identify_01_x": ("applied", {("customers", "email", "shop_id"): [PETER], ("attributes", "name", "value"): [("logins", "5"), ("name", "Peter Gibbons"), ("plan", "premium")]}),
    "identify_02_x": ("applied", {("customers", "email", "shop_id"): [PETER]}),
    "identify_03_example": ("applied", {("customers", "email", "shop_id", "country"): [(*PETER, "USA")], ("customers", "known_at"): [(datetime(2015, 2, 23, 22, 28, 55, 111_000, UTC),)]}),
    "identify_04_anonymous_id": ("applied", {("attributes", "name", "value"): [("subscriptionStatus", "inactive")]}),
    "page_01_x": ("parked", {("inbound", "error"): [("names no customer: email, shop_id and anonymous_id are blank",)]}),
    "page_02_x": ("applied", {("funnel_events", "what", "stage"): [("visited", "Home")]}),
    "page_03_example": ("applied", {("funnel_events", "what", "stage"): [("visited", "Home")]}),
    "email_06_example": ("applied", {("consents", "topic", "granted"): [("marketing", False)]}),
}  # fmt: skip


def as_posted(said: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The endpoint and the body, as a client makes them of a call in JavaScript; parts are tracked as they are."""
    if "args" not in said:
        said = {name: each for name, each in said.items() if name != "sentAt"}  # of a clock of 2015
        return str(said.get("type", "track")), said
    method, args = said["method"], said["args"]
    words, things = (
        [each for each in args if isinstance(each, str)],
        [each for each in args if isinstance(each, dict)],
    )
    more = {"traits" if method in ("identify", "group") else "properties": things[0]} if things else {}
    named: dict[str, Any] = {
        "track": {"event": words[0] if words else "", "userId": "u1"},
        "identify": {"userId": words[0] if words else "u1"},
        "alias": {"previousId": "before", "userId": "u1"},
        "group": {"groupId": "g1", "userId": "u1"},
    }.get(method, {"name": words[-1] if words else "", "userId": "u1"})
    return method, {**named, **more}


def test_the_examples_of_the_specification_become_facts(door: Door, real_data: Path) -> None:
    ear = Ear(door.project.store)
    files = sorted((real_data / "payloads/segment").glob("*.json"))
    assert {file.stem for file in files} >= EXAMPLES.keys()
    for file in files:
        ear.forget()
        path, body = as_posted(json.loads(file.read_text()))
        assert door.post(f"/v1/{path}", json.dumps(body).encode()) == (200, {"success": True}), file.stem
        outcome, facts = EXAMPLES.get(file.stem, ("ignored", {}))
        assert take_up(door.project, NOW).received.as_json() == {
            "applied": 0,
            "ignored": 0,
            "parked": 0,
            "nobody": 0,
            "test": 0,
            outcome: 1,
        }, (file.stem, ear.verdicts())
        assert {asked: ear.rows(*asked) for asked in facts} == facts, file.stem


XAPI = {
    "actor": {"mbox": "mailto:ann@loaf.example"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": "https://learn.example/course/flagship/lesson-3"},
    "timestamp": "2026-03-01T10:00:00Z",
    "context": {"contextActivities": {"parent": [{"id": "https://learn.example/course/flagship"}]}},
}


def test_statements_of_a_course_player_are_consumption(door: Door) -> None:
    progressed = {**XAPI, "id": "s2", "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
                  "result": {"extensions": {"https://w3id.org/xapi/cmi5/result/extensions/progress": 40}}}  # fmt: skip
    status, ids = door.post("/v1/xapi/statements", json.dumps([XAPI, progressed]).encode())
    assert (status, len(ids), ids[1]) == (200, 2, "s2")
    assert door.post("/v1/xapi/statements", json.dumps(XAPI).encode()) == (200, ids[:1])
    assert take_up(door.project, NOW).received.as_json() == {
        "applied": 2,
        "ignored": 0,
        "parked": 0,
        "nobody": 0,
        "test": 0,
    }
    assert door.rows(consumption.c.sku, consumption.c.unit, consumption.c.kind, consumption.c.progress) == [
        ("flagship", "lesson-3", "completed", None),
        ("flagship", "lesson-3", "progressed", 40),
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batch", b'{"batch": 7}'),
        ("/v1/track", b"[]"),
        ("/v1/xapi/statements", b'[{"id": "s1"}, 7]'),
        ("/v1/xapi/statements", rb'[{"id": "s1"}, {"id": "\ud800"}]'),  # an id that no answer could name
    ],
)
def test_of_what_is_refused_nothing_is_kept(door: Door, path: str, body: bytes) -> None:
    assert door.post(path, body)[0] == 400
    assert door.rows(inbound.c.event_id) == []


def test_offers_lessons_and_consent_are_facts(ear: Ear) -> None:
    came = {
        "campaign": {"source": "fb", "medium": "cpc", "name": "spring", "content": "ad7"},
        "device": {"type": "ios"},
    }
    told = [
        {**track("Offer Shown", 1, sku="course"), "context": came},
        track("Product Offer Declined", 2, sku="course"),
        track("Funnel Completed", 3),
        track("Lesson Progressed", 4, course_id="course", lesson_id="l1", progress=40),
        track("Consent Given", 5, basis="form"),
        track("Unsubscribed", 6),
    ]
    assert ear.tell("segment", *told).applied == 6
    assert ear.rows("funnel_events", "what", "sku", "source", "medium", "campaign", "ad", "device") == [
        ("completed", "", "", "", "", "", ""),
        ("offer_refused", "course", "", "", "", "", ""),
        ("offer_shown", "course", "fb", "cpc", "spring", "ad7", "mobile"),
    ]
    assert ear.rows("consumption", "sku", "unit", "kind", "progress") == [("course", "l1", "progressed", 40)]
    assert ear.rows("consents", "topic", "granted", "basis") == [
        ("marketing", False, ""),
        ("marketing", True, "form"),
    ]


AGENT = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) {}"


@pytest.mark.parametrize(
    ("context", "device"),
    [
        ({"userAgent": AGENT.format("Windows NT 10.0; Win64; x64", "Chrome/124.0 Safari/537.36")}, "desktop"),
        ({"userAgent": AGENT.format("Macintosh; Intel Mac OS X 14_4", "Version/17.4 Safari/605.1")}, "desktop"),
        ({"userAgent": AGENT.format("iPhone; CPU iPhone OS 17_4 like Mac OS X", "Mobile/15E148")}, "mobile"),
        ({"userAgent": AGENT.format("Linux; Android 14; Pixel 8", "Chrome/124.0 Mobile Safari/537.36")}, "mobile"),
        ({"userAgent": AGENT.format("Linux; Android 13; SM-X200", "Chrome/124.0 Safari/537.36")}, "tablet"),
        ({"userAgent": AGENT.format("Linux; Android 12; CUBOT X50", "Chrome/120.0 Mobile Safari/537.36")}, "mobile"),
        ({"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, "bot"),
        ({"userAgent": AGENT.format("X11; Linux x86_64", "HeadlessChrome/124.0 Safari/537.36")}, "bot"),
        ({"userAgent": "Googlebot/2.1", "device": {"type": "android"}}, "bot"),
        ({"userAgent": "something else", "userAgentData": {"mobile": False}}, "desktop"),
        ({"userAgentData": {"mobile": True}}, "mobile"),
        ({"userAgentData": {"mobile": [1]}}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_browser_tells_its_device_and_a_machine_that_it_is_one(
    context: dict[str, Any], device: str
) -> None:
    visit = message("page", name="landing", context=context)
    [fact] = SOURCES["segment"].read(visit, NOW)
    assert fact.fields["device"] == device


def test_whatever_order_facts_of_one_person_come_in_they_are_the_same(ear: Ear) -> None:
    told = [
        {**track("Lesson Started", 0, who="", sku="course", unit="1"), "anonymousId": "a1"},
        message("identify", 1, anonymousId="a1", traits={"email": "ann@loaf.example", "plan": "free"}),
        message("identify", 2, traits={"email": "ann@loaf.example", "plan": "gold"}),
        track("Order Completed", 3, order_id="o1", products=[GUIDE]),
        track("Order Updated", 4, order_id="o1", products=[COURSE]),
    ]
    ends = []
    every = 5 if ear.store.engine.dialect.name == "sqlite" else 15
    for turn in list(permutations(told))[::every]:
        ear.forget()
        for event in turn:
            ear.tell("segment", event)
        ends.append(ear.facts())
    assert all(each == ends[0] for each in ends)
    assert ear.rows("customers", "email", "shop_id", "known_at") == [("ann@loaf.example", "u1", NOW)]


def test_an_answer_does_not_wait_for_the_other_side(door: Door) -> None:
    """Connections have this from the socket that listens."""
    assert door.server._listening.getsockopt(IPPROTO_TCP, TCP_NODELAY)


def test_a_sale_of_nothing_is_parked_and_an_update_may_leave_its_products_out(ear: Ear) -> None:
    for nothing in ({}, {"products": []}, {"products": "x"}):
        ear.tell("segment", track("Order Completed", order_id="o1", total=50, **nothing))
    assert {error for _, error in ear.verdicts()} == {"products is missing, or no list of products"}
    ear.forget()
    ear.tell("segment", track("Order Completed", order_id="o1", products=[GUIDE]))
    ear.tell("segment", track("Order Updated", 5, order_id="o1", checkout_id="c9"))
    assert [outcome for outcome, _ in ear.verdicts()] == ["applied", "applied"]


def test_what_is_no_message_takes_no_other_with_it(door: Door) -> None:
    good = {"messageId": "m1", "type": "track", "userId": "u1", "event": "Order Completed"}
    assert door.post("/v1/batch", json.dumps({"batch": [good, None, 7]}).encode()) == (200, {"success": True})
    assert len(door.rows(inbound.c.event_id)) == 3
    assert door.post("/v1/batch", b'{"batch": 7}')[0] == 400


UNPRICED = {"sku": "guide", "quantity": 2}


@pytest.mark.parametrize(
    ("said", "lines", "why"),
    [
        ({"products": [UNPRICED], "revenue": 25, "total": 30}, [("guide", 2, 2_500)], None),
        ({"products": [UNPRICED], "subtotal": 22.5, "total": 30}, [("guide", 2, 2_250)], None),
        ({"products": [{"sku": "guide"}], "total": 30}, [("guide", 1, 3_000)], None),
        ({"products": [{**UNPRICED, "price": 10}], "revenue": 25}, [("guide", 2, 2_000)], None),
        ({"products": [{**UNPRICED, "price": 0}], "revenue": 25}, [("guide", 2, 0)], None),
        ({"products": [UNPRICED]}, [], "price of its product is missing, and so are revenue and total"),
        ({"products": [UNPRICED, COURSE], "revenue": 25}, [],
         "price of a product is missing, and of several products the order does not tell it"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("event", ["Order Completed", "Order Updated"])
def test_a_single_product_without_a_price_costs_what_the_order_brought(
    ear: Ear, event: str, said: dict[str, Any], lines: list[Any], why: str | None
) -> None:
    ear.tell("segment", track(event, order_id="o1", **said))
    assert ear.rows("order_lines", "sku", "quantity", "amount") == lines
    assert ear.verdicts() == [("parked" if why else "applied", why)]


IMPOSSIBLE = [
    ("Order Refunded", {"total": -50}, "amount is not above 0"),
    ("Order Refunded", {"total": 0}, "amount is not above 0"),
    ("Order Refunded", {"total": "all"}, "amount is not an amount, such as 1234.50"),
    ("Order Updated", {"total": -1, "products": [GUIDE]}, "order_total is negative"),
    ("Order Updated", {"products": [{**GUIDE, "price": -1}]}, "unit_price is negative"),
]


@pytest.mark.parametrize(("event", "said", "why"), IMPOSSIBLE)
@pytest.mark.parametrize("first", [True, False])
def test_what_cannot_be_true_of_an_order_takes_nothing_else_of_it_along(
    ear: Ear, event: str, said: dict[str, Any], why: str, first: bool
) -> None:
    good = track("Order Completed", order_id="o1", products=[GUIDE])
    bad = track(event, 5, order_id="o1", **said)
    refund = track("Order Refunded", 9, order_id="o1", refund_id="r1", products=[GUIDE])
    for told in (bad, good, refund) if first else (good, bad, refund):
        ear.tell("segment", told)
    assert sorted(ear.verdicts(), key=repr) == [("applied", None), ("applied", None), ("parked", why)]
    assert len(ear.rows("orders", "order_ref")) == len(ear.rows("refunds", "refund_ref")) == 1


@pytest.mark.parametrize(
    ("name", "path", "stages"),
    [
        ("x" * 80, "/offer", [("/offer",)]),
        ("x" * 60, "/offer", [("x" * 60,)]),
        ("x" * 61, "/" + "y" * 60, []),
        ("", "", []),
    ],
)
def test_a_page_with_a_long_name_is_a_stage_by_its_path(
    ear: Ear, name: str, path: str, stages: list[Any]
) -> None:
    ear.tell("segment", message("page", name=name, properties={"path": path}))
    assert ear.rows("funnel_events", "stage") == stages
    why = None if stages else "it names no stage of at most 60 characters"
    assert ear.verdicts() == [("applied" if stages else "ignored", why)]


def test_a_number_of_an_order_that_no_database_keeps_is_told_in_words(ear: Ear) -> None:
    for ref in ("\ud800", "o\0", "o" * 101):
        ear.tell("segment", track("Order Completed", order_id=ref, products=[GUIDE]))
    broken = "order_id holds a line break or another control character"
    assert {error for _, error in ear.verdicts()} == {broken, "order_id is longer than 100 characters"}


def test_two_checkouts_at_one_time_are_two(ear: Ear) -> None:
    for checkout in ("c1", "c2", "c1"):
        ear.tell("segment", track("Checkout Started", checkout_id=checkout))
    assert ear.rows("funnel_events", "what", "checkout_id") == [
        ("checkout_started", "c1"),
        ("checkout_started", "c2"),
    ]
