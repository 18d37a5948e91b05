"""What was acknowledged is kept whatever dies, and no event stands in another's way."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from engine.app.hearing import drain
from engine.app.project import Project
from engine.facts import identity
from engine.facts.receiving.landing import Hall
from engine.facts.receiving.saying import NotUnderstood, NotWanted
from engine.facts.receiving.sources import SOURCES
from engine.facts.refusal import Refused
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.tables import inbound
from tests.receiving.ear import NOW, Ear, message, track
from tests.receiving.test_segment import BASIC, KEY
from tests.receiving.test_webhooks import json_values

GUIDE = {"sku": "guide", "price": 10}
BATCHES = 30


@contextmanager
def serving(folder: Path, database: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its address."""
    words = [sys.executable, "-W", "ignore", "-c", "from engine.cli import main; main()", "serve"]
    secret = {"AFTERSALE_SECRETS__WRITE_KEY": KEY, "AFTERSALE_WEB__PORT": "0", "AFTERSALE_DATABASE": database}
    with subprocess.Popen(
        words, cwd=folder, env=os.environ | secret, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        yield process, re.findall(r"http://\S+", said)[0]
        process.kill()


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another writer has the database all the while, where it has one writer only."""
    if not url.startswith("sqlite"):
        yield
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_what_was_acknowledged_survives_kill_9(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "config.yaml").write_text("{}")
    url, acknowledged = request.getfixturevalue(f"{kind}_url"), []
    with (
        held(url),
        serving(tmp_path, url) as (process, address),
        closing(HTTPConnection(urlsplit(address).netloc)) as server,
    ):
        for number in range(BATCHES):
            server.request("POST", "/v1/track", json.dumps({"messageId": f"m{number}"}), BASIC)
            answer = server.getresponse()
            answer.read()
            assert answer.status == 200
            acknowledged.append(f"m{number}")
        process.send_signal(signal.SIGKILL)
        process.wait()
    with closing(Project(tmp_path, settings=Settings(database=url))) as project:
        drain(project)
        with project.store.reading() as connection:
            kept = set(connection.scalars(select(inbound.c.event_id)))
    assert kept == set(acknowledged)


@pytest.mark.postgres
@pytest.mark.parametrize("known", [("7", "ann@loaf.example"), ("ann@loaf.example",)], ids=["merged", "named"])
def test_whom_another_process_changes_meanwhile_is_looked_for_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, known: Sequence[str]
) -> None:
    ann = "ann@loaf.example"
    with closing(Store(postgres_url)) as store:
        ear, other = Ear(store), Ear(store, ids=IdFactory(seed=2))
        ear.tell("segment", *(track("Lesson Started", who=who, sku="course") for who in known))
        hold, changed = identity.lock_customers, list[bool]()

        def held_late(connection: Connection, customer_ids: Iterable[int]) -> None:
            if not changed:
                changed.append(True)
                other.tell("segment", message("identify", userId="7", traits={"email": ann}))
            hold(connection, customer_ids)

        monkeypatch.setattr(identity, "lock_customers", held_late)
        ear.hear("segment", [(None, track("Lesson Completed", who="7", sku="course", email=ann))])
        ear.take_up(size=1)
        assert changed
        assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}
        assert ear.rows("customers", "email", "shop_id") == [(ann, "7")]
        assert ear.rows("consumption", "kind") == [("completed",), ("started",)]


@given(
    source=st.sampled_from(list(SOURCES)),
    topic=st.sampled_from(
        ["orders/x", "customers/x", "refunds/x", "disputes/x", "order.updated", "customer.created"]
    ),
    said=json_values,
)
@settings(max_examples=400)
def test_a_reader_says_facts_or_why_not(source: str, topic: str, said: Any) -> None:
    for event in (
        said,
        {"topic": topic, "body": said},
        {"type": "track", "event": "Order Refunded", "properties": said},
    ):
        with suppress(NotUnderstood, NotWanted, Refused):
            SOURCES[source].read(event, NOW)


HOSTILE = [
    track("Order Completed", order_id="o\0", products=[GUIDE]),
    track("Order Completed", order_id="o" * 300, products=[GUIDE]),
    track("Order Completed", order_id="o2", products=[{"sku": "guide", "price": "ten"}]),
    track("Order Completed", order_id="o3", products=[{"sku": "guide", "price": 1e300}]),
    track("Order Completed", order_id="o4", total=-5, products=[GUIDE]),
    track("Order Completed", order_id="o5", products=[{"price": 5}]),
    track("Order Completed", order_id="o6", currency="XXY", products=[GUIDE]),
    track("Order Refunded", order_id="never told", total=5),
    track("Order Cancelled", order_id="never told"),
    track("Lesson Completed", who="", sku="course"),
    track("Lesson Completed", sku="course\n", unit="\ud800"),
    message("identify", traits={"email": "no address"}),
    message("track", timestamp="1066-10-14T00:00:00Z", event="Lesson Started", properties={"sku": "course"}),
    {"type": ["track"]},
    [],
    "text",
]  # fmt: skip


def test_a_poison_event_is_parked_and_costs_no_other_anything(ear: Ear) -> None:
    good = [track("Lesson Completed", number, sku="course", unit=str(number)) for number in range(20)]
    told: list[Any] = [each for pair in zip(good, HOSTILE, strict=False) for each in pair] + good[
        len(HOSTILE) :
    ]
    ear.hear("segment", [(None, each) for each in told])
    made = ear.take_up()
    assert made.as_json() == {"applied": 20, "ignored": 0, "parked": len(HOSTILE), "nobody": 0, "test": 0}, (
        ear.verdicts()
    )
    assert len(ear.rows("consumption", "unit")) == 20
    assert ear.rows("orders", "order_ref") == []
    reasons = [error for outcome, error in ear.verdicts() if outcome == "parked"]
    assert all(reasons)
    assert not [each for each in reasons if "guide" in each or "@" in each], "a reason quotes nothing"


def test_orders_that_cannot_be_are_parted_and_the_rest_is_not(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day's orders in a currency without a rate, each told twice: a few attempts, and not one for each event."""
    attempts: list[int] = []
    apply = Hall.apply

    def counted(hall: Hall, connection: Any, batch: Any) -> Any:
        attempts.append(len(batch))
        return apply(hall, connection, batch)

    monkeypatch.setattr(Hall, "apply", counted)
    bad = [
        track(f"Order {what}", number + minutes, order_id=f"o{number}", products=[GUIDE], currency="GBP")
        for minutes, what in enumerate(("Completed", "Updated"))
        for number in range(10)
    ]
    good = [track("Order Completed", number, order_id=f"g{number}", products=[GUIDE]) for number in range(5)]
    ear.hear("segment", [(None, each) for each in (*bad, *good)])
    assert ear.take_up().as_json() == {"applied": 5, "ignored": 0, "parked": 20, "nobody": 0, "test": 0}
    assert attempts == [25, 5, 10, 10]


def test_a_refund_that_came_alone_lands_once_its_order_is_imported(ear: Ear) -> None:
    refund = track("Order Refunded", order_id="o1", total=5)
    assert ear.tell("segment", refund).parked == 1
    assert ear.verdicts() == [("parked", "is of an order that is not known; import the order first")]
    ear.tell("segment", track("Order Completed", -5, order_id="o1", products=[GUIDE]))
    assert ear.verdicts() == [("applied", None)] * 2
    assert ear.rows("refunds", "amount") == [(500,)]


def test_what_waited_for_another_batch_of_the_run_is_counted_as_it_ended(ear: Ear) -> None:
    refund = track("Order Refunded", order_id="o1", total=5)
    never = track("Order Refunded", order_id="o2", total=5)
    order = track("Order Completed", -5, order_id="o1", products=[GUIDE])
    ear.hear("segment", [("1", refund), ("2", never), ("3", order)])
    made = ear.take_up(1)
    assert (made.applied, made.parked) == (2, 1)
    assert str(made) == "events: 2 applied, 1 parked"
    assert ear.tell("segment", track("Order Completed", -5, order_id="o2", products=[GUIDE])).applied == 1


@pytest.mark.parametrize("size", [1, 3])
def test_batches_of_any_size_end_the_same(ear: Ear, size: int) -> None:
    told = [
        track(
            "Order Completed",
            number,
            who=f"u{number % 4}",
            order_id=f"o{number % 4}",
            products=[GUIDE] * (number + 1),
        )
        for number in range(8)
    ]
    ends = []
    for each in (size, 500):
        ear.forget()
        ear.hear("segment", [(event["messageId"], event) for event in told])
        assert ear.take_up(each).applied == 8
        ends.append(ear.facts())
    assert ends[0] == ends[1]
