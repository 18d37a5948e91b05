"""The mails of one step leave together, whoever waits between them, and the oldest mail still goes first."""

from datetime import datetime, timedelta
from typing import Any

from engine.delivery.ahead import BATCHES, Ahead
from engine.delivery.outbox import Outbox
from engine.delivery.rows import Attempt
from engine.store.connect import Store
from engine.store.tables import customers, messages
from tests.delivery.post_office import NOW, Postman, address, change, key, plan_mails, row, run

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def plan(store: Store, *wanted: tuple[int, str, datetime]) -> None:
    """Mails to customers who are there: whose, of which step, and due when."""
    mails: list[dict[str, Any]] = [
        key(customer_id, step)._asdict()
        | {
            "version": "v1",
            "track": "back-end",
            "status": "scheduled",
            "planned_at": due_at,
            "due_at": due_at,
        }
        for customer_id, step, due_at in wanted
    ]
    people = [
        {"customer_id": i, "email": address(i), "known_at": NOW, "lot": 0, "recorded_at": NOW}
        for i in sorted({customer_id for customer_id, *_ in wanted})
    ]
    with store.writing() as connection:
        connection.execute(customers.insert(), people)
        connection.execute(messages.insert(), mails)


class Watch:
    """A stopwatch that stands still until it is moved on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def ahead(store: Store, batch: int, watch: Watch | None = None, choice: int = 0) -> Ahead:
    return Ahead(Outbox(store, "worker", MINUTE, "folder"), batch, watch or Watch(), lambda _: choice)


def told(batch: list[Attempt]) -> str:
    return " ".join(f"{mail.key.step_id}{mail.key.customer_id}" for mail in batch)


def test_the_step_of_the_oldest_mail_comes_first_and_whole(store: Store) -> None:
    plan(store, (1, "b", NOW), (2, "a", NOW), (3, "b", NOW), (4, "a", NOW), (5, "b", NOW - MINUTE))
    waiting = ahead(store, 3)
    assert told(waiting.next(NOW, NOW)) == "b5 b1 b3"
    assert told(waiting.next(NOW, NOW)) == "a2 a4"
    assert told(waiting.next(NOW, NOW)) == "b5 b1 b3"  # nobody took them


def test_it_looks_no_farther_than_some_batches(store: Store) -> None:
    plan(store, *((n, "ab"[n % 2], NOW) for n in range(1, BATCHES + 3)))
    waiting = ahead(store, 1)
    seen = [told(waiting.next(NOW, NOW)) for _ in range(BATCHES)]
    assert seen == ["b1", "b3", "b5", "b7", "b9", "a2", "a4", "a6", "a8", "a10"]


def test_after_a_second_it_looks_again(store: Store) -> None:
    plan_mails(store, 1, 2, 3)
    watch = Watch()
    waiting = ahead(store, 1, watch)
    assert told(waiting.next(NOW, NOW)) == "hello1"
    change(store, 2, status="cancelled")
    watch.seconds = 0.9
    assert told(waiting.next(NOW, NOW)) == "hello2"  # whoever claims it finds out
    change(store, 3, closes_at=NOW + SECOND)
    assert told(waiting.next(NOW, NOW + SECOND)) == "hello1"  # the third's window has ended
    watch.seconds = 2.0
    assert told(waiting.next(NOW, NOW + SECOND)) == "hello1"
    assert waiting.next(NOW, NOW + SECOND) == waiting.next(NOW, NOW + SECOND)


def test_what_may_not_leave_yet_is_the_first_of_the_next_batch(store: Store) -> None:
    plan_mails(store, 1, 2, 3, 4)
    waiting = ahead(store, 2)
    first = waiting.next(NOW, NOW)
    waiting.put_back(first[1:])
    assert told(waiting.next(NOW, NOW)) == "hello2 hello3"


def test_where_another_was_faster_it_begins_elsewhere(store: Store) -> None:
    plan_mails(store, 1, 2, 3, 4)
    waiting = ahead(store, 1, choice=2)
    assert told(waiting.next(NOW, NOW)) == "hello1"
    waiting.was_taken()
    change(store, 1, status="sending")
    assert [told(waiting.next(NOW, NOW)) for _ in range(3)] == ["hello4", "hello2", "hello3"]
    assert told(waiting.next(NOW, NOW)) == "hello2", "from the beginning, since nobody was in its way"


def test_domains_that_are_full_are_looked_past_at_once(store: Store) -> None:
    plan_mails(store, 1, 2)
    waiting = ahead(store, 1)
    waiting.next(NOW, NOW)
    assert waiting.next(NOW, NOW, frozenset({"shop.example"})) == []


def test_a_mail_that_is_cancelled_meanwhile_does_not_leave(store: Store) -> None:
    plan_mails(store, 1, 2, 3)
    postman = Postman()
    postman.before_each = lambda _: change(store, 3, status="cancelled")
    run(store, postman, batch=1)
    assert postman.sent == [1, 2]
    assert row(store, 3).attempt == 0
