"""A customer's run through a campaign, told as stories: entry, steps, exits, and runs anew."""

import pytest

from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import Change, Line, Order, Use

TWO_STEPS = (
    "[{id: one, after: 1d, email: {subject: A, template: a.html}},"
    " {id: two, after: 3d, email: {subject: B, template: b.html}}]"
)


def test_steps_follow_each_other_by_their_waits(store: Store) -> None:
    shop = Shop(store, [campaign_text(steps=TWO_STEPS)], people={1: buyer(NOW)})
    assert shop.tick(NOW) == []
    [run] = shop.rows("enrollments")
    assert (run["status"], run["step_id"], run["due_at"], run["spell"]) == ("active", "one", NOW + DAY, 1)
    assert shop.tick(NOW + DAY - DAY / 1000) == []
    assert shop.tick(NOW + DAY) == [(1, "plain", "one", "send", "due")]
    # later waits count from the decision, not from when it was due
    assert shop.tick(NOW + 4 * DAY - DAY / 1000) == []
    assert shop.tick(NOW + 9 * DAY) == [(1, "plain", "two", "send", "due")]
    assert [run["status"] for run in shop.rows("enrollments")] == ["finished"]
    assert {row["status"] for row in shop.rows("messages")} == {"accepted"}


def test_who_leaves_the_audience_goes_on_through_the_steps(store: Store) -> None:
    audience = "{bought: {product: guide, within: 11d}}"
    shop = Shop(store, [campaign_text(audience=audience, steps=TWO_STEPS)], people={1: buyer(NOW)})
    shop.tick(NOW)
    assert shop.tick(NOW + 2 * DAY) == [(1, "plain", "one", "send", "due")]
    [member] = shop.rows("membership")
    assert (member["inside"], member["spell"]) == (False, 1)


def test_the_goal_ends_the_run_at_once(store: Store) -> None:
    goal = "{bought: {product: course}}"
    shop = Shop(store, [campaign_text(goal=goal, steps=TWO_STEPS)], people={1: buyer(NOW)})
    shop.tick(NOW)
    line = {"order_ref": "x", "line_ref": "1", "sku": "course", "quantity": 1, "amount": 9700}
    shop.add("order_lines", customer_id=1, at=NOW + DAY / 2, recorded_at=NOW, **line)
    assert shop.tick(NOW + DAY / 2) == [(1, "plain", "one", "skip", "goal_reached")]
    [run] = shop.rows("enrollments")
    assert (run["status"], run["exit_reason"]) == ("exited", "goal_reached")
    assert shop.tick(NOW + 9 * DAY) == []


def test_the_goal_ends_a_run_that_waits_for_its_window(store: Store) -> None:
    goal = "{bought: {product: course}}"
    steps = "[{id: one, after: 0, send: {between: '11:00-12:00'}, email: {subject: A, template: a.html}}]"
    shop = Shop(store, [campaign_text(goal=goal, steps=steps)], people={1: buyer(NOW)})
    assert shop.tick(NOW) == [(1, "plain", "one", "hold", "outside_window")]
    line = {"order_ref": "x", "line_ref": "1", "sku": "course", "quantity": 1, "amount": 9700}
    shop.add("order_lines", customer_id=1, at=NOW + DAY / 100, recorded_at=NOW, **line)
    shop.add("changes", customer_id=1, change_id=7)  # as everybody who writes a fact does
    assert shop.tick(NOW + DAY / 100) == [(1, "plain", "one", "skip", "goal_reached")]
    [run] = shop.rows("enrollments")
    assert (run["status"], run["exit_reason"]) == ("exited", "goal_reached")


def test_a_goal_counts_facts_after_entry_only(store: Store) -> None:
    person = buyer(NOW, uses=[Use(NOW - DAY, "guide", "c1")])
    goal = "{consumed: {product: guide}}"
    shop = Shop(store, [campaign_text(goal=goal, steps=TWO_STEPS)], people={1: person})
    shop.tick(NOW)
    assert shop.tick(NOW + DAY) == [(1, "plain", "one", "send", "due")]
    shop.add(
        "consumption",
        customer_id=1,
        sku="guide",
        unit="c2",
        kind="completed",
        at=NOW + 2 * DAY,
        recorded_at=NOW,
    )
    assert shop.tick(NOW + 2 * DAY) == [(1, "plain", "two", "skip", "goal_reached")]


@pytest.mark.parametrize(
    "goal",
    [
        "{spent: {at_least: 7}}",
        "{ordered: {at_least: 1}}",
        "{last_order: {within: 30d}}",
        "{bought: {any: true}}",
        "{any: [{spent: {product: mug, at_least: 1}}, {ordered: {}}]}",
    ],
)
def test_every_kind_of_goal_looks_after_entry_only(store: Store, goal: str) -> None:
    shop = Shop(
        store,
        [campaign_text(goal=goal, steps=TWO_STEPS)],
        people={1: buyer(NOW), 2: buyer(NOW, email="bob@example.com")},
    )
    shop.tick(NOW)
    money = {"amount": 700, "charged": 700, "currency": "USD", "paid": True, "digest": ""}
    at = {"at": NOW + DAY / 2, "recorded_at": NOW}
    shop.add("orders", customer_id=2, order_ref="x", **at, **money)
    shop.add(
        "order_lines", customer_id=2, order_ref="x", line_ref="1", sku="mug", quantity=1, amount=700, **at
    )
    assert shop.reasons(NOW + 2 * DAY) == [("send", "due"), ("skip", "goal_reached")]


@pytest.mark.parametrize(
    ("goal", "reached_by_a_renewal"),
    [("{subscribed: {product: club}}", True), ("{subscribed: {product: club, within: 30d}}", False)],
)
def test_a_renewal_after_entry_is_a_fact_but_begins_no_subscription(
    store: Store, goal: str, reached_by_a_renewal: bool
) -> None:
    renewed = [Change(NOW - 20 * DAY), Change(NOW + DAY)]
    begun = [Change(NOW + DAY)]
    people = {1: buyer(NOW, changes=renewed), 2: buyer(NOW, email="bob@example.com", changes=begun)}
    shop = Shop(store, [campaign_text(goal=goal, steps=TWO_STEPS)], people=people)
    assert shop.tick(NOW) == []  # that he subscribes tomorrow is not known today
    reached, due = ("skip", "goal_reached"), ("send", "due")
    assert shop.reasons(NOW + 2 * DAY) == [reached if reached_by_a_renewal else due, reached]


def test_while_is_asked_before_each_step_and_ends_the_run(store: Store) -> None:
    text = campaign_text(while_="{bought: {product: guide}}", steps=TWO_STEPS)
    person = buyer(NOW, orders=[Order(NOW - DAY, [Line("guide", refunded_at=NOW + 2 * DAY), Line("mug")])])
    shop = Shop(store, [text], people={1: person})
    shop.tick(NOW)
    assert shop.reasons(NOW + DAY) == [("send", "due")]
    assert shop.reasons(NOW + 4 * DAY) == [("skip", "while_ended")]
    assert [run["exit_reason"] for run in shop.rows("enrollments")] == ["while_ended"]


def test_when_passes_over_one_step_and_goes_on(store: Store) -> None:
    steps = (
        "[{id: one, after: 0, when: {bought: {product: mug}}, email: {subject: A, template: a.html}},"
        " {id: two, after: 1d, email: {subject: B, template: b.html}}]"
    )
    shop = Shop(store, [campaign_text(steps=steps)], people={1: buyer(NOW)})
    assert shop.reasons(NOW) == [("skip", "when_not_met")]
    assert shop.reasons(NOW + DAY) == [("send", "due")]


def test_a_step_that_left_the_file_is_passed_over(store: Store) -> None:
    shop = Shop(store, [campaign_text(steps=TWO_STEPS)], people={1: buyer(NOW)})
    shop.tick(NOW)
    shop.campaigns = [campaign_text(steps=TWO_STEPS.replace("id: one", "id: other"))]
    assert shop.reasons(NOW + DAY) == [("skip", "step_removed")]


AT_HAND = "{attribute: {name: plan, is: gold}}"


def again(store: Store, enter: str) -> list[tuple[int, int]]:
    """Someone who is in the audience for a day of every ten; in which run they are after how many days."""
    person = buyer(NOW)
    shop = Shop(store, [campaign_text(audience=AT_HAND, enter=enter)], people={1: person})
    for start in (0, 10, 20, 30):
        for days, value in ((start, "gold"), (start + 1, "")):
            at = NOW + days * DAY
            shop.add("attributes", customer_id=1, name="plan", at=at, value=value, recorded_at=at)
    begun: list[tuple[int, int]] = []
    for day in range(33):
        shop.tick(NOW + day * DAY)
        runs = len(shop.rows("enrollments"))
        if runs > len(begun):
            begun.append((day, runs))
    return begun


@pytest.mark.parametrize(
    ("enter", "expected"),
    [
        ("once", [(0, 1)]),
        ("every_time", [(0, 1), (10, 2), (20, 3), (30, 4)]),
        ("{again_after: 15d}", [(0, 1), (20, 2)]),
        ("{again_after: 20d}", [(0, 1), (20, 2)]),
        ("{again_after: 10d}", [(0, 1), (10, 2), (20, 3), (30, 4)]),
    ],
)
def test_how_often_one_customer_may_run_through(
    store: Store, enter: str, expected: list[tuple[int, int]]
) -> None:
    assert again(store, enter) == expected


def test_nobody_begins_a_second_run_while_one_is_active(store: Store) -> None:
    shop = Shop(store, [campaign_text(enter="{again_after: 1d}", steps=TWO_STEPS)], people={1: buyer(NOW)})
    for day in range(4):
        shop.tick(NOW + day * DAY)
    assert [run["spell"] for run in shop.rows("enrollments")] == [1]


def test_planning_the_same_instant_twice_changes_nothing(store: Store) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW)})
    assert shop.reasons(NOW) == [("send", "due")]
    before = [shop.rows(name) for name in ("membership", "enrollments", "decisions", "messages")]
    assert shop.reasons(NOW) == []
    assert before == [shop.rows(name) for name in ("membership", "enrollments", "decisions", "messages")]


def test_a_hold_that_goes_on_keeps_the_time_it_began(store: Store) -> None:
    shop = Shop(store, [campaign_text()], people={1: buyer(NOW)})
    times = {"opened_at": NOW, "closes_at": NOW + DAY, "last_addition_at": NOW}
    shop.add("transactions", customer_id=1, first_order_ref="o0", number=1, **times)
    shop.tick(NOW)
    shop.tick(NOW + DAY)
    [decision] = shop.rows("decisions")
    assert (decision["verdict"], decision["first_at"], decision["at"]) == ("hold", NOW, NOW + DAY)
    shop.tick(NOW + 2 * DAY)
    [decision] = shop.rows("decisions")
    assert (decision["verdict"], decision["first_at"]) == ("send", NOW + 2 * DAY)
