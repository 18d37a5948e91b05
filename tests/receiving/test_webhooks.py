"""Webhooks: real payloads come in as they are, through their signatures, and become facts; nothing else does."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from hmac import new as hmac
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from stripe import WebhookSignature

from engine.app.hearing import drain, take_up
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.facts.receiving.sources import HOOKS
from engine.settings.model import Settings
from engine.settings.secrets import Secrets
from engine.settings.web import Web
from engine.store.tables import inbound, metadata
from engine.web.server import Server
from tests.receiving.ear import FACTS, NOW
from tests.web.door import Door as AnyDoor

SECRET = "a secret of some length"  # noqa: S105 - of a test
Headers = dict[str, str]


def signed(name: str, body: bytes, topic: str = "", secret: str = SECRET) -> tuple[str, Headers]:
    """The path, and the headers that a provider would send."""
    path, digest = f"/webhooks/{name}", hmac(secret.encode(), body, sha256)
    if name == "stripe":
        stamp = int(NOW.timestamp())
        header = WebhookSignature.generate_signature_header(body.decode(errors="replace"), secret, stamp)
        return path, {"Stripe-Signature": header}
    if name == "shopify":
        return path, {"X-Shopify-Hmac-Sha256": b64encode(digest.digest()).decode(), "X-Shopify-Topic": topic}
    if name == "woocommerce":
        return path, {
            "X-WC-Webhook-Signature": b64encode(digest.digest()).decode(),
            "X-WC-Webhook-Topic": topic,
        }
    if name == "thinkific":
        return path, {"X-Thinkific-Hmac-Sha256": digest.hexdigest()}
    return f"{path}/{quote(secret)}", {}


class Door(AnyDoor):
    """A server that every provider may post to."""

    def __init__(self, folder: Path) -> None:
        secrets = Secrets(write_key=SECRET, **{hook.secret: SECRET for hook in HOOKS.values()})
        super().__init__(folder, Settings(web=Web(port=0), secrets=secrets))

    def request(self, path: str, body: bytes, headers: Headers) -> tuple[int, bytes]:
        with closing(HTTPConnection(urlsplit(self.server.address).netloc, timeout=60)) as connection:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def post(self, name: str, body: bytes, topic: str = "") -> int:
        status, said = self.request(*self._signed(name, body, topic))
        assert status == 200, said
        return int(json.loads(said)["kept"])

    @staticmethod
    def _signed(name: str, body: bytes, topic: str) -> tuple[str, bytes, Headers]:
        path, headers = signed(name, body, topic)
        return path, body, headers

    def kept(self) -> int:
        return len(self.rows("inbound", "event_id"))

    def take_up(self) -> dict[str, int]:
        return take_up(self.project, NOW).received.as_json()

    def rows(self, table: str, *names: str) -> list[Any]:
        columns = [metadata.tables[table].c[name] for name in names]
        with self.reading() as connection:
            return sorted((tuple(map(_plain, row)) for row in connection.execute(select(*columns))), key=repr)

    def errors(self) -> set[str]:
        with self.reading() as connection:
            return set(connection.scalars(select(inbound.c.error).where(inbound.c.error.is_not(None))))

    def clear(self) -> None:
        drain(self.project)
        with self.project.store.writing() as connection:
            for table in (*FACTS, "inbound", "dossiers", "contact_state", "changes"):
                connection.execute(delete(metadata.tables[table]))


def _plain(value: Any) -> Any:
    return f"{value:%Y-%m-%dT%H:%MZ}" if hasattr(value, "year") else value


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("hooks"))
    yield door
    door.close()


@pytest.fixture
def door(opened: Door) -> Door:
    opened.clear()
    return opened


def stripe_event(
    kind: str, thing: dict[str, Any], number: int = 1, at: int = 1_300_000_000
) -> dict[str, Any]:
    return {"id": f"evt_{number}", "object": "event", "type": kind, "created": at, "data": {"object": thing}}


def stripe_fixture(folder: Path, name: str, **changed: Any) -> dict[str, Any]:
    found = json.loads((folder / "payloads/stripe/openapi_fixtures3.json").read_text())["resources"][name]
    return {**found, **changed}


# ── file → facts ────────────────────────────────────────────────────────────────────────────────

ORDERED = ("orders", "order_ref", "paid", "amount", "at")
LINES = ("order_lines", "sku", "quantity", "amount")
PEOPLE = ("customers", "email", "shop_id", "first_name", "country")
USE = ("consumption", "sku", "unit", "kind", "progress")
BOB = ("bob.norman@hostmail.com", "207119551", "Bob", "US")
IPODS = [("IPOD2008BLACK", 1, 19_900), ("IPOD2008GREEN", 1, 19_900), ("IPOD2008RED", 1, 19_900)]
Change = Callable[[Any], Any]


def as_it_is(body: Any) -> Any:
    return body


def paid(body: Any) -> Any:
    return {"order": {**body["order"], "financial_status": "paid"}}


FILES: list[tuple[str, str, Change, str, dict[tuple[str, ...], list[Any]]]] = [
    ("shopify/py_order.json", "orders/create", as_it_is, "applied",
     {ORDERED: [("450789469", False, 40_994, "2008-01-10T16:00Z")], LINES: []}),
    ("shopify/py_order.json", "orders/updated", paid, "applied",
     {ORDERED: [("450789469", True, 40_994, "2008-01-10T16:00Z")], LINES: IPODS}),
    ("shopify/rb_order.json", "orders/paid", paid, "applied", {LINES: IPODS}),
    ("shopify/rb_order_with_properties.json", "orders/paid", paid, "applied", {LINES: [("39072856", 1, 4_500), ("4107806867497", 1, 2_400)]}),
    ("shopify/py_customer.json", "customers/update", as_it_is, "applied", {PEOPLE: [BOB]}),
    ("shopify/py_refund.json", "refunds/create", as_it_is, "parked", {ORDERED: []}),
    ("shopify/py_transaction.json", "order_transactions/create", as_it_is, "ignored", {}),
    ("woocommerce/v3_orders_01_http_request.json", "order.created", as_it_is, "applied",
     {ORDERED: [("727", True, 2_935, "2017-03-22T19:28Z")],
      LINES: [("93", 2, 600), ("Bar3", 1, 1_200)],
      PEOPLE: [("john.doe@example.com", None, "John", "US")]}),
    ("woocommerce/v3_orders_04_http_request.json", "order.updated", as_it_is, "applied",
     {ORDERED: [("727", True, 2_935, "2017-03-22T19:28Z")]}),
    ("woocommerce/v3_orders_03_http_request.json", "order.updated", lambda body: body[1], "applied",
     {ORDERED: [("723", True, 3_900, "2017-03-21T19:16Z")],
      ("refunds", "refund_ref", "amount"): [("refund:723/724", 900), ("refund:723/726", 1_000)]}),
    ("woocommerce/v3_webhooks_07_http_request.json", "webhook.updated", as_it_is, "ignored", {}),
    ("lms/thinkific.json", "", lambda body: body[0], "applied",
     {USE: [("123", "24220", "completed", None)],
      PEOPLE: [("ninjas@thinkific.com", None, "Robert", "")]}),
    ("lms/thinkific.json", "", lambda body: body[1], "applied",
     {PEOPLE: [("ninjas@thinkific.com", None, "Robert", "")], USE: []}),
    ("lms/thinkific.json", "", lambda body: body[2], "applied",
     {ORDERED: [("thinkific-19796", True, 5_000, "2018-01-26T22:23Z")], LINES: [("1", 1, 5_000)]}),
    ("lms/thinkific.json", "", lambda body: body[3], "parked", {USE: []}),  # an address with [TEST] in it
    ("lms/teachable_lecture_progress.json", "", as_it_is, "parked", {USE: []}),  # an address at .invalid
    ("lms/teachable_lecture_progress.json", "",
     lambda body: {**body, "object": {**body["object"], "user": {"id": 7, "email": "ann@loaf.example"}}},
     "applied", {USE: [("301405", "", "progressed", 40), ("301405", "4666823", "completed", None)]}),
]  # fmt: skip
SOURCE_OF = {"lms/thinkific.json": "thinkific", "lms/teachable_lecture_progress.json": "teachable"}


@pytest.mark.parametrize("case", FILES, ids=lambda case: f"{case[0]} {case[1]}")
def test_real_payloads_become_facts(door: Door, real_data: Path, case: Any) -> None:
    file, topic, change, outcome, facts = case
    body = json.dumps(change(json.loads((real_data / "payloads" / file).read_text()))).encode()
    name = SOURCE_OF.get(file, file.partition("/")[0])
    for _ in range(2):
        assert door.post(name, body, topic) == 1
    assert door.take_up() == {"applied": 0, "ignored": 0, "parked": 0, "nobody": 0, "test": 0, outcome: 1}, (
        door.errors()
    )
    assert {asked: door.rows(*asked) for asked in facts} == facts


STRIPE: list[tuple[str, str, dict[str, Any], str, dict[tuple[str, ...], list[Any]]]] = [
    ("checkout.session", "checkout.session.completed",
     {"amount_total": 4_900, "currency": "usd", "payment_status": "paid", "metadata": {"sku": "guide"}}, "applied",
     {ORDERED: [("pi_1PgafyB7WZ01zgkWSjxsAJo3", True, 4_900, "2011-03-13T07:06Z")],
      LINES: [("guide", 1, 4_900)], PEOPLE: [("example@example.com", None, "", "")]}),
    ("charge", "charge.succeeded", {}, "ignored", {ORDERED: []}),  # it was not captured
    ("charge", "charge.succeeded",
     {"captured": True, "amount_captured": 100, "receipt_email": "ann@loaf.example"}, "applied",
     {LINES: [("stripe", 1, 100)]}),
    ("charge", "charge.succeeded", {"captured": True, "description": "Subscription creation"}, "ignored", {}),
    ("payment_intent", "payment_intent.succeeded",
     {"amount_received": 1_099, "customer": "cus_1", "metadata": {"sku": "guide"}}, "applied",
     {LINES: [("guide", 1, 1_099)]}),
    ("payment_intent", "payment_intent.created", {}, "ignored", {}),
    ("refund", "refund.created", {}, "parked", {}),
    ("charge", "charge.refunded", {"amount_refunded": 100, "refunds": None}, "parked", {}),  # of no order so far
    ("dispute", "charge.dispute.created", {}, "applied", {("refunds", "amount"): []}),  # an inquiry
    ("dispute", "charge.dispute.funds_withdrawn", {"status": "needs_response"}, "parked", {}),
    ("invoice", "invoice.paid", {"amount_paid": 1_000}, "applied",
     {ORDERED: [("in_1Pgc6tB7WZ01zgkWu9fdqL6I", True, 1_000, "2011-03-13T07:06Z")],
      LINES: [("stripe", 1, 1_000)]}),
    ("subscription", "customer.subscription.updated", {"cancel_at_period_end": False, "cancel_at": None, "ended_at": None},
     "applied", {("subscriptions", "subscription_ref", "sku", "status"):
                 [("sub_1Pgc6rB7WZ01zgkWNy0Cn5nw", "prod_QXg1hqf4jFNsqG", "active")]}),
    ("subscription", "customer.subscription.deleted", {"status": "canceled"}, "applied",
     {("subscriptions", "status"): [("expired",)]}),
    ("customer", "customer.updated", {"email": "ann@loaf.example"}, "applied",
     {PEOPLE: [("ann@loaf.example", None, "", "")]}),
    ("customer", "customer.created", {}, "applied", {PEOPLE: [(None, None, "", "")]}),
    ("plan", "plan.created", {}, "ignored", {}),
    ("invoice", "invoice.paid",  # what is metered counts no pieces, and may have cost nothing so far
     {"amount_paid": 1_000, "lines": {"data": [
         {"amount": 1_000, "quantity": 2, "metadata": {"sku": "guide"}}, {"amount": 0, "quantity": 0, "metadata": {"sku": "club"}},
     ]}}, "applied", {LINES: [("club", 1, 0), ("guide", 2, 1_000)]}),
]  # fmt: skip


@pytest.mark.parametrize("case", STRIPE, ids=lambda case: f"{case[1]} {case[3]}")
def test_the_things_of_stripe_become_facts(door: Door, real_data: Path, case: Any) -> None:
    thing, kind, changed, outcome, facts = case
    event = stripe_event(kind, stripe_fixture(real_data, thing, **changed))
    assert door.post("stripe", json.dumps(event).encode()) == 1
    assert door.take_up() == {"applied": 0, "ignored": 0, "parked": 0, "nobody": 0, "test": 0, outcome: 1}, (
        door.errors()
    )
    assert {asked: door.rows(*asked) for asked in facts} == facts


@pytest.mark.parametrize(
    ("currency", "told", "amount"),
    [
        ("usd", 4_999, "49.99"),
        ("jpy", 4_999, "4999"),
        ("kwd", 4_990, "4.990"),
        ("rsd", 499_900, "4999"),  # of which nobody counts hundredths, save Stripe
        ("isk", 499_900, "4999"),
        ("all", 499_950, "5000"),
    ],
)
def test_stripe_tells_hundredths_of_all_but_a_few_currencies(currency: str, told: int, amount: str) -> None:
    charge = {"id": "ch_1", "captured": True, "amount": told, "currency": currency}
    [order] = HOOKS["stripe"].read(stripe_event("charge.succeeded", charge), NOW)
    assert order.head["order_total"] == amount


def test_every_resource_of_stripe_comes_in_and_holds_up_nothing(door: Door, real_data: Path) -> None:
    text = (real_data / "payloads/stripe/openapi_fixtures3.json").read_text()
    things = json.loads(text)["resources"]
    for number, (name, thing) in enumerate(things.items()):
        event = stripe_event(f"{name}.updated", thing, number)
        assert door.post("stripe", json.dumps(event).encode()) == 1
    assert sum(door.take_up().values()) == len(things)
    assert not {error for error in door.errors() if error.startswith("it cannot")}


def test_gumroad_tells_a_sale_and_that_it_was_refunded(door: Door, real_data: Path) -> None:
    names = json.loads((real_data / "payloads/gumroad/ping_parameters.json").read_text())
    sale = dict.fromkeys((each["parameter"] for each in names), "1") | {
        "email": "ann@loaf.example", "sale_id": "s1", "sale_timestamp": "2026-03-01T10:00:00Z", "test": "false",
        "price": "1900", "product_permalink": "https://loaf.gumroad.example/l/guide", "refunded": "false",
    }  # fmt: skip
    sale["is_preorder_authorization"] = "false"
    for told in (sale, {**sale, "refunded": "true"}):
        assert door.post("gumroad", urlencode(told).encode()) == 1
    assert door.take_up()["applied"] == 2, door.errors()
    assert door.rows(*ORDERED) == [("gumroad-s1", True, 1_900, "2026-03-01T10:00Z")]
    assert door.rows("order_lines", "sku", "refunded_at") == [("guide", "2026-03-10T09:00Z")]


SALE = {
    "email": "ann@loaf.example", "sale_id": "s1", "sale_timestamp": "2026-03-01T10:00:00Z", "price": 1_900,
    "permalink": "guide", "quantity": 1, "refunded": False, "resource_name": "sale", "card": {"visual": None},
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "outcome", "lines"),
    [
        ({}, "applied", [("guide", 1, 1_900)]),
        (
            {"currency": "eur"},
            "applied",
            [("guide", 1, 1_900)],
        ),  # that of the price tag; what is paid are USD
        ({"test": True}, "test", []),
        ({"is_preorder_authorization": True}, "ignored", []),  # what is charged later is another sale
        ({"sale_id": None, "resource_name": "cancellation"}, "ignored", []),  # of a subscription
        ({"sale_id": None}, "parked", []),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_ping_of_gumroad_is_a_form_or_json(
    door: Door, more: dict[str, Any], outcome: str, lines: list[Any], as_json: bool
) -> None:
    told = {name: value for name, value in {**SALE, **more}.items() if value is not None}
    form = {name: json.dumps(value).strip('"') for name, value in told.items()}
    assert door.post("gumroad", json.dumps(told).encode() if as_json else urlencode(form).encode()) == 1
    assert door.take_up() == {"applied": 0, "ignored": 0, "parked": 0, "nobody": 0, "test": 0, outcome: 1}, (
        door.errors()
    )
    assert door.rows(*LINES) == lines


# ── any order ───────────────────────────────────────────────────────────────────────────────────


def test_a_payment_and_its_session_are_one_order_and_a_refund_may_come_first(
    door: Door, real_data: Path
) -> None:
    pi = "pi_1PgafyB7WZ01zgkWSjxsAJo3"
    session = {
        "amount_total": 4_900,
        "currency": "usd",
        "payment_status": "paid",
        "metadata": {"sku": "guide"},
    }
    told = [
        stripe_event(
            "refund.created",
            stripe_fixture(real_data, "refund", payment_intent=pi, amount=4_900),
            1,
            1_300_000_100,
        ),
        stripe_event(
            "charge.succeeded",
            stripe_fixture(
                real_data, "charge", payment_intent=pi, captured=True, amount=4_900, amount_captured=4_900
            ),
            2,
        ),
        stripe_event(
            "checkout.session.completed",
            stripe_fixture(real_data, "checkout.session", **session),
            3,
            1_300_000_002,
        ),
    ]
    told[0]["data"]["object"]["created"] = 1_300_000_100
    ends = []
    for turn in (told, told[::-1]):
        door.clear()
        for event in turn:
            door.post("stripe", json.dumps(event).encode())
            door.take_up()
        assert door.rows("inbound", "outcome", "error") == [("applied", None)] * 3
        ends.append(
            [
                door.rows(*LINES, "refunded_at"),
                door.rows(*ORDERED),
                door.rows("refunds", "refund_ref", "at", "amount"),
            ]
        )
    assert ends[0] == ends[1]
    assert ends[0][0] == [("guide", 1, 4_900, "2011-03-13T07:08Z")]


def test_an_older_version_of_an_order_never_comes_back(door: Door, real_data: Path) -> None:
    first = json.loads((real_data / "payloads/shopify/py_order.json").read_text())["order"]
    newer = {**first, "financial_status": "paid", "updated_at": "2008-01-10T12:00:00-05:00"}
    refund = json.loads((real_data / "payloads/shopify/py_refund.json").read_text())["refund"]
    refund["transactions"][0]["amount"] = "409.94"
    told = [("orders/create", first), ("orders/updated", newer), ("refunds/create", refund)]
    ends = []
    for turn in (told, told[::-1], [told[1], told[0], told[2]]):
        door.clear()
        for topic, body in turn:
            door.post("shopify", json.dumps(body).encode(), topic)
            door.take_up()
        ends.append(
            [
                door.rows(table, *names)
                for table, *names in (ORDERED, LINES, ("refunds", "refund_ref", "amount"))
            ]
        )
    assert ends[0] == ends[1] == ends[2]
    assert ends[0][0] == [("450789469", True, 40_994, "2008-01-10T16:00Z")]
    assert ends[0][2] == [
        ("refund:450789469/509562969", 1_194),
        ("refund:450789469/509562969/466157049", 19_900),
        ("refund:450789469/509562969/703073504", 19_900),
    ]


def test_a_product_has_the_sku_that_the_shop_gives_it(tmp_path: Path, real_data: Path) -> None:
    with closing(Door(tmp_path)) as door:
        body = json.dumps(json.loads((real_data / "payloads/lms/thinkific.json").read_text())[0]).encode()
        door.post("thinkific", body)
        wanted = {"products": {"thinkific:123": "flagship"}}
        door.project.settings = Settings.model_validate(
            {**door.project.settings.model_dump(), "receiving": wanted}
        )
        door.take_up()
        assert door.rows("consumption", "sku", "unit") == [("flagship", "24220")]


# ── nothing else gets in ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", list(HOOKS))
def test_a_forged_signature_lets_nothing_in(door: Door, name: str) -> None:
    body = b'{"id": "1"}' if name != "gumroad" else b"sale_id=1"
    path, headers = signed(name, body, "orders/create")
    elsewhere, others = signed(name, body, "orders/create", SECRET[::-1])
    forged = [
        *([(f"/webhooks/{name}", body, {})] if headers else []),
        (elsewhere, body, others),
        (path, body, dict.fromkeys(headers, "")) if headers else (path[:-1], body, {}),
        *([(path, body + b" ", headers)] if headers else []),
    ]
    for each in forged:
        assert door.request(*each)[0] == 401, each
    assert door.kept() == 0
    assert door.request(path, body, headers)[0] == 200
    assert door.kept() == 1


def test_an_old_signature_of_stripe_is_not_made_young(door: Door) -> None:
    now = int(NOW.timestamp())
    for age, status in ((300, 200), (301, 401), (-301, 401)):
        header = WebhookSignature.generate_signature_header("{}", SECRET, now - age)
        assert door.request("/webhooks/stripe", b"{}", {"Stripe-Signature": header})[0] == status
        longer = {"Stripe-Signature": f"{header},t={now}"}
        assert door.request("/webhooks/stripe", b"{}", longer)[0] == status


def test_an_address_where_nothing_is_answers_in_json(door: Door) -> None:
    for path, said in (
        ("/webhooks/strype", {"error": "there is nothing at this address"}),
        # whose secret is at the end of the address
        ("/webhooks/gumroad", {"error": "there is nothing at this address"}),
        ("/webhooks/stripe/", {"error": "there is nothing at this address"}),
        (f"/webhooks/gumroad?token={quote(SECRET)}", {"error": "there is nothing at this address"}),
        ("/v1/trak", {"success": False, "code": "404", "message": "there is nothing at this address"}),
    ):
        status, answer = door.request(path, b"{}", {})
        assert (status, json.loads(answer)) == (404, said)
    assert door.request("/elsewhere", b"{}", {})[1].startswith(b"<!DOCTYPE html>")


def test_the_greeting_of_woocommerce_is_answered_and_not_kept(door: Door) -> None:
    assert door.request("/webhooks/woocommerce", b"webhook_id=12", {}) == (200, b'{"kept":0}')
    assert door.kept() == 0


def test_without_a_secret_nothing_comes_in(tmp_path: Path) -> None:
    project = Project(tmp_path, VirtualClock(NOW), Settings(web=Web(port=0)))
    server = Server(project)
    server.start()
    try:
        for name, hook in HOOKS.items():
            with closing(HTTPConnection(urlsplit(server.address).netloc, timeout=60)) as connection:
                connection.request("POST", signed(name, b"{}")[0], b"{}", signed(name, b"{}")[1])
                answer = connection.getresponse()
                assert answer.status == 503
                assert json.loads(answer.read()) == {"error": f"secrets.{hook.secret} is not set"}
    finally:
        server.stop()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([
                *("id", "type", "object", "data", "created", "created_at", "updated_at", "line_items", "user", "payload"),
                *("items", "amount", "currency", "customer", "status", "batch", "event", "properties", "traits", "price"),
                *("userId", "timestamp", "order_id", "products", "resource", "action", "refunds", "verb", "actor", "sentAt", "balance_transactions", "amount_refunded", "type"),
            ]),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)  # fmt: skip
API = [
    f"/v1/{path}"
    for path in ("identify", "track", "page", "screen", "alias", "group", "batch", "xapi/statements")
]
KINDS = (
    "charge.succeeded",
    "invoice.paid",
    "customer.subscription.updated",
    "checkout.session.completed",
    "refund.created",
    "charge.refunded",
    "charge.dispute.closed",
)


@given(
    path=st.sampled_from([*API, *(f"/webhooks/{name}" for name in (*HOOKS, "sendgrid", "nobody"))]),
    topic=st.sampled_from(["orders/create", "refunds/create", "disputes/update", "customers/update", "order.updated", "customer.created", ""]),
    said=st.one_of(json_values, st.builds(lambda kind, thing: {"type": kind, "created": 1, "data": {"object": thing}}, st.sampled_from(KINDS), json_values)),
    junk=st.one_of(st.none(), st.binary(max_size=100)),
    believed=st.booleans(),
)  # fmt: skip
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_is_never_an_error_of_ours(
    opened: Door, path: str, topic: str, said: Any, junk: bytes | None, believed: bool
) -> None:
    body = json.dumps(said).encode() if junk is None else junk
    name = path.rpartition("/")[2]
    headers: Headers = (
        {"Authorization": f"Basic {b64encode(f'{SECRET}:'.encode()).decode()}"} if believed else {}
    )
    if name in HOOKS and believed:
        path, headers = signed(name, body, topic)
    status, _ = opened.request(path, body, headers)
    assert status < 500 or (name == "sendgrid" and status == 503)
    assert believed or status in (401, 404, 503)


def test_all_of_that_junk_holds_up_nothing(opened: Door) -> None:
    opened.take_up()
    assert [row for row in opened.rows("inbound", "outcome") if row == (None,)] == []
    assert not {error for error in opened.errors() if error.startswith("it cannot")}
