"""What several mails to one customer do to each other: caps, the gap, one offer at a time."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text, update

from engine.settings.model import Settings
from engine.settings.policies import Frequency
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Consent

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SEND = ("send", "due")
CAPPED, TOO_SOON, WAITS = ("hold", "frequency_cap"), ("hold", "minimum_gap"), ("hold", "another_offer")
BOTH_TOPICS = [Consent(NOW - 10 * DAY), Consent(NOW - 10 * DAY, topic="news")]
TWO_STEPS = (
    "[{id: one, after: 0, email: {subject: A, template: a.html}},"
    " {id: two, after: 3d, email: {subject: B, template: b.html}}]"
)


def shop(store: Store, *campaigns: dict[str, Any], **settings: Any) -> Shop:
    """One customer, and campaigns of falling priority that are called a, b, c…"""
    texts = [campaign_text("abcdef"[n], **{"priority": 90 - n, **words}) for n, words in enumerate(campaigns)]
    return Shop(store, texts, Settings(**settings), people={1: buyer(NOW, consents=BOTH_TOPICS)})


def mailed(it: Shop) -> list[str]:
    """The campaigns whose mails left, in that order."""
    rows = sorted(it.rows("messages"), key=lambda row: (row["planned_at"], row["campaign_id"]))
    return [row["campaign_id"] for row in rows]


def details(it: Shop) -> dict[str, str]:
    return {row["campaign_id"]: row["detail"] for row in it.rows("decisions") if row["verdict"] != "send"}


# ── caps ────────────────────────────────────────────────────────────────────────────────────────


def test_several_caps_hold_at_once(store: Store) -> None:
    caps = [{"max": 1, "per": "1d"}, {"max": 2, "per": "7d"}]
    it = shop(store, {}, {}, {}, frequency=caps)
    assert it.reasons(NOW) == [SEND, CAPPED, CAPPED]
    assert it.reasons(NOW + DAY - SECOND) == [CAPPED, CAPPED]
    assert it.reasons(NOW + DAY) == [SEND, CAPPED]
    assert it.reasons(NOW + 7 * DAY - SECOND) == [CAPPED]
    assert it.reasons(NOW + 7 * DAY) == [SEND]


def test_the_loser_is_told_who_took_the_last_slot_or_what_is_used_up(store: Store) -> None:
    caps = [{"max": 2, "per": "7d"}]
    it = shop(store, {}, {}, {}, frequency=caps)
    it.tick(NOW)
    assert details(it) == {"c": "after b"}
    it.tick(NOW + DAY)
    assert details(it) == {"c": "2 mails in 7d"}


def test_a_cap_of_a_topic_holds_and_counts_its_own_only(store: Store) -> None:
    caps = [{"max": 2, "per": "7d"}, {"max": 1, "per": "7d", "topic": "news"}]
    it = shop(store, {"topic": "news"}, {"topic": "news"}, {}, {}, frequency=caps)
    assert it.reasons(NOW) == [SEND, CAPPED, SEND, CAPPED]
    assert details(it) == {"b": "after a", "d": "after c"}
    assert {row["campaign_id"]: row["topic"] for row in it.rows("messages")} == {
        "a": "news",
        "c": "marketing",
    }


def test_who_is_held_by_one_cap_takes_no_slot_of_another(store: Store) -> None:
    """Of b, which the cap of its topic holds, the cap over all takes no notice."""
    caps = [{"max": 1, "per": "9d", "topic": "news"}, {"max": 2, "per": "7d"}]
    it = shop(store, {"topic": "news"}, {"topic": "news"}, {}, frequency=caps)
    assert it.reasons(NOW) == [SEND, CAPPED, SEND]


def test_without_caps_everything_goes(store: Store) -> None:
    assert shop(store, {}, {}, {}, frequency=[]).reasons(NOW) == [SEND, SEND, SEND]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("scheduled", CAPPED),
        ("sending", CAPPED),
        ("accepted", CAPPED),
        ("unknown", CAPPED),
        ("held_out", CAPPED),
        ("rejected", SEND),
        ("cancelled", SEND),
    ],
)
def test_what_counts_under_a_cap(store: Store, status: str, expected: tuple[str, str]) -> None:
    it = shop(store, {}, frequency=[{"max": 1, "per": "7d"}])
    words = {"campaign_id": "x", "step_id": "one", "spell": 1, "version": "", "track": "back-end"}
    times = {"planned_at": NOW - DAY, "due_at": NOW + DAY}
    it.add("messages", customer_id=1, status=status, **words, **times)
    assert it.reasons(NOW) == [expected]


def test_a_mail_counts_from_when_it_left(store: Store) -> None:
    it = shop(store, {}, frequency=[{"max": 1, "per": "7d"}])
    words = {"campaign_id": "x", "step_id": "one", "spell": 1, "version": "", "track": "back-end"}
    times = {"planned_at": NOW - 9 * DAY, "due_at": NOW - 9 * DAY, "slot_at": NOW - 7 * DAY + SECOND}
    it.add("messages", customer_id=1, status="accepted", **words, **times)
    assert it.reasons(NOW) == [CAPPED]
    assert it.reasons(NOW + SECOND) == [SEND]


# ── the gap ─────────────────────────────────────────────────────────────────────────────────────


def test_between_two_mails_lies_the_gap(store: Store) -> None:
    it = shop(store, {}, {"topic": "news"}, frequency=[], minimum_gap="20h")
    assert it.reasons(NOW) == [SEND, TOO_SOON]
    assert details(it) == {"b": "after a"}
    assert it.reasons(NOW + 20 * HOUR - SECOND) == [TOO_SOON]
    assert details(it) == {"b": "20h"}
    assert it.reasons(NOW + 20 * HOUR) == [SEND]


# ── one offer at a time ─────────────────────────────────────────────────────────────────────────


def offer(sku: str = "mug", **words: Any) -> dict[str, Any]:
    return {"offers": f"[{sku}]", **words}


def test_a_run_that_offers_something_is_waited_for_until_it_ends(store: Store) -> None:
    it = shop(store, offer(steps=TWO_STEPS), offer("course"), {}, frequency=[])
    assert it.reasons(NOW) == [SEND, WAITS, SEND]
    assert details(it) == {"b": "after a"}
    assert it.reasons(NOW + DAY) == [WAITS]
    assert details(it) == {"b": "while in a"}
    assert it.reasons(NOW + 3 * DAY) == [SEND, WAITS]
    assert it.reasons(NOW + 4 * DAY) == [SEND]
    assert mailed(it) == ["a", "c", "a", "b"]


def test_a_run_under_way_is_not_overtaken_by_a_higher_priority(store: Store) -> None:
    late = offer("course", audience="{bought: {product: guide, older_than: 11d}}", priority=999)
    it = shop(store, offer(steps=TWO_STEPS), late, frequency=[])
    assert it.reasons(NOW) == [SEND]
    assert it.reasons(NOW + DAY) == [WAITS]


def test_a_run_that_has_not_written_yet_is_not_waited_for(store: Store) -> None:
    later = "[{id: one, after: 30d, email: {subject: A, template: a.html}}]"
    it = shop(store, offer(steps=later), offer("course"), frequency=[])
    assert it.reasons(NOW) == [SEND]


@pytest.mark.parametrize(("first", "second", "goes"), [(1, 2, "b"), (2, 1, "a"), (1, 1, "a")])
def test_of_two_offers_the_higher_priority_goes_first_then_the_id(
    store: Store, first: int, second: int, goes: str
) -> None:
    it = shop(store, offer(priority=first), offer("course", priority=second), frequency=[])
    it.tick(NOW)
    assert mailed(it) == [goes]


def test_of_two_offers_of_one_priority_the_earlier_entry_goes_first(store: Store) -> None:
    in_a_day = "[{id: one, after: 1d, email: {subject: A, template: a.html}}]"
    entered_today = offer(priority=1, audience="{bought: {product: guide, older_than: 10d}}")
    it = shop(store, entered_today, offer("course", priority=1, steps=in_a_day), frequency=[])
    assert it.reasons(NOW - DAY) == []
    assert it.reasons(NOW) == [WAITS, SEND]


def test_the_held_out_take_part_as_if_they_were_mailed(store: Store) -> None:
    it = shop(store, offer(steps=TWO_STEPS, holdout="100%"), offer("course"), frequency=[])
    assert it.reasons(NOW) == [("skip", "held_out"), WAITS]
    assert it.reasons(NOW + DAY) == [WAITS]


def test_a_run_that_ends_is_not_waited_for(store: Store) -> None:
    it = shop(
        store,
        offer(steps=TWO_STEPS, while_="{bought: {product: guide, within: 12d}}"),
        offer("course"),
        frequency=[],
    )
    it.tick(NOW)
    assert it.reasons(NOW + 3 * DAY) == [("skip", "while_ended"), SEND]


def test_an_offer_that_is_stopped_makes_way(store: Store) -> None:
    """Who is suppressed, or waits for a fact, is not in the way of the others."""
    it = shop(store, offer(cool_down="{after_purchase: 30d}"), offer("course"), frequency=[])
    assert it.reasons(NOW) == [("hold", "cool_down"), SEND]


def test_the_last_mail_of_an_offer_has_to_leave_before_the_next(store: Store) -> None:
    it = shop(store, offer(), offer("course"), frequency=[])
    it.sends = False
    assert it.reasons(NOW) == [SEND, WAITS]
    with store.writing() as connection:
        connection.execute(update(tables.messages).values(due_at=NOW + 2 * DAY))
    assert it.reasons(NOW + DAY) == [WAITS]


# ── what is owed ────────────────────────────────────────────────────────────────────────────────


def test_what_is_owed_competes_with_nobody(store: Store) -> None:
    texts = [campaign_text("owed", transactional="true"), campaign_text("plain")]
    it = Shop(store, texts, Settings(frequency=Frequency(max=1), minimum_gap="20h"), people={1: buyer(NOW)})
    assert it.reasons(NOW) == [SEND, SEND], "neither counts the other"
    assert {row["campaign_id"]: row["topic"] for row in it.rows("messages")} == {
        "owed": "",
        "plain": "marketing",
    }


# ── how it is worked out ────────────────────────────────────────────────────────────────────────


def test_arbitration_looks_up_the_customers_at_hand_and_reads_no_large_table(tmp_path: Path) -> None:
    store = Store("sqlite:///plans.db", folder=tmp_path)
    ensure_current(store)
    settings = {"cool_down": {"after_purchase": "3d"}, "minimum_gap": "20h"}
    it = shop(store, offer(), offer("course", topic="news"), {}, frequency=[{"max": 1}], **settings)
    it.tick(NOW - DAY)
    with store.writing() as connection:  # as if there were a million of everything
        connection.execute(text("ANALYZE"))
        connection.execute(text("UPDATE sqlite_stat1 SET stat = '1000000 10 10 9 8 7 6 5 4 3 2 1'"))
    store.engine.dispose()
    plans: dict[str, list[str]] = {}

    @event.listens_for(store.engine, "before_cursor_execute")
    def _explain(connection: Any, _: Any, statement: str, values: Any, __: Any, many: bool) -> None:
        if not many and re.match(r"(INSERT INTO|UPDATE) plan_(runs|queue|used|contenders)", statement):
            cursor = connection.connection.cursor()
            plans[statement] = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)]

    it.tick(NOW)
    store.close()
    read = {step.split()[1] for steps in plans.values() for step in steps if step.startswith("SCAN")}
    assert len(plans) > 20
    assert "plan_runs" in read
    assert not read & tables.metadata.tables.keys() - {"changes", "generation"}, "a queue and a single row"
