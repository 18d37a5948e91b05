"""What was planned a while ago and leaves now: not inside of an order that came meanwhile, nor after it closed."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from engine.delivery.courier import Courier
from engine.delivery.line import SOON, Line
from engine.delivery.outbox import Outbox
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.tables import enrollments, funnel_events, order_lines, orders, subscriptions, transactions
from tests.delivery.post_office import (
    NOW,
    PlainStudio,
    Postman,
    change,
    decide_anew,
    key,
    plan_mails,
    row,
    run,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
STARTED = (funnel_events, {"what": "checkout_started", "stage": "", "sku": "", "checkout_id": "c1"})
UNPAID = (orders, {"order_ref": "o1", "paid": False, "amount": 700, "charged": 700, "currency": "USD"})


def transaction(opened_at: datetime, closes_at: datetime) -> tuple[Any, dict[str, Any]]:
    times = {"opened_at": opened_at, "closes_at": closes_at, "last_addition_at": opened_at}
    return transactions, {"first_order_ref": "o1", "number": 1, **times}


def learn(store: Store, fact: tuple[Any, dict[str, Any]], customer_id: int) -> None:
    table, words = fact
    more = {"at": NOW - MINUTE, "digest": "", "recorded_at": NOW}
    values = {"customer_id": customer_id, **more, **words}
    with store.writing() as connection:
        connection.execute(table.insert(), [{k: v for k, v in values.items() if k in table.c}])


def run_of(customer_id: int, entered_at: datetime) -> tuple[Any, dict[str, Any]]:
    mail = key(customer_id)
    words = {"campaign_id": mail.campaign_id, "spell": mail.spell, "step_id": mail.step_id, "version": "v1"}
    times = dict.fromkeys(("due_at", "wake_at", "updated_at"), NOW)
    return enrollments, {**words, **times, "entered_at": entered_at, "held_out": False, "status": "active"}


LATELY, OPEN = NOW - 10 * MINUTE, NOW + 50 * MINUTE
BACK, FRONT = {"track": "back-end"}, {"track": "front-end"}
BUYS, OVER = "not sent: open_transaction", "not sent: transaction_closed"
OWNS = "not sent: owns_offer"


def sold(sku: str, **more: Any) -> tuple[Any, dict[str, Any]]:
    line = {"order_ref": "o9", "line_ref": "1", "sku": sku, "quantity": 1, "amount": 900, "position": ""}
    return order_lines, {**line, "side": "front", "at": LATELY, **more}


CLUB = (
    subscriptions,
    {"subscription_ref": "s", "sku": "club", "status": "active", "derived": False, "at": LATELY},
)


@pytest.mark.parametrize(
    ("mail", "facts", "why"),
    [
        (BACK, [], None),
        (BACK, [STARTED], BUYS),
        (BACK, [UNPAID], BUYS),
        (BACK, [transaction(LATELY, OPEN)], BUYS),
        (BACK, [transaction(NOW - DAY, NOW - 23 * timedelta(hours=1))], BUYS),  # front_end.quiet is a day
        (BACK, [transaction(NOW - 3 * DAY, NOW - DAY)], None),
        ({"topic": ""}, [transaction(LATELY, OPEN), STARTED], None),  # what is owed goes
        (FRONT, [transaction(LATELY, OPEN), run_of(1, LATELY)], None),
        (FRONT, [transaction(LATELY, NOW), run_of(1, LATELY)], OVER),
        (FRONT, [run_of(1, LATELY)], OVER),
        (FRONT, [transaction(LATELY, OPEN), run_of(1, LATELY), sold("course")], OWNS),
        (FRONT, [transaction(LATELY, OPEN), run_of(1, LATELY), sold("guide")], None),
        (BACK, [sold("course", at=NOW - 3 * DAY)], OWNS),
        (BACK, [sold("course", at=NOW - 3 * DAY, refunded_at=NOW - DAY)], None),
        (BACK, [CLUB], OWNS),
    ],
)
def test_an_order_that_came_since_the_plan_is_heard_at_the_door(
    store: Store, mail: dict[str, Any], facts: list[tuple[Any, dict[str, Any]]], why: str | None
) -> None:
    plan_mails(store, 1, 2)
    learn(store, run_of(2, LATELY), 2)
    change(store, 1, **mail)
    for fact in facts:
        learn(store, fact, 1)
    postman = Postman()
    assert run(store, postman).postponed == (0 if why is None else 1)
    assert (postman.sent, row(store, 1).error) == (([1, 2], None) if why is None else ([2], why))


def test_what_went_back_waits_for_a_plan_to_decide_anew(store: Store) -> None:
    plan_mails(store, 1)
    learn(store, STARTED, 1)
    postman = Postman()
    run(store, postman)
    assert row(store, 1).in_vain_since is None, "nobody refused it"
    assert run(store, postman, now=NOW + DAY).accepted == 0, "no plan has looked at it"
    decide_anew(store, NOW + SOON)
    run(store, postman, now=NOW + 2 * DAY)  # given up by then
    assert postman.sent == [1]


def test_who_begins_to_buy_while_the_batch_is_leaving_is_passed_over(store: Store) -> None:
    plan_mails(store, 1, 2, 3)
    postman, minutes = Postman(), count()
    postman.before_each = lambda i: learn(store, STARTED, 2) if i == 1 else None
    box = Outbox(store, "ann", timedelta(seconds=60), "postman")
    line = Line(store, Settings(), lambda: NOW + MINUTE, {})
    ann = Courier(box, PlainStudio(), postman, NOW, lambda: next(minutes), line=line)
    ann.carry(box.claim(box.due(NOW, 10), NOW))
    assert postman.sent == [1, 3]
    assert (row(store, 2).status, row(store, 2).due_at) == ("scheduled", NOW + MINUTE + SOON)
