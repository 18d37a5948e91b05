"""Anonymous customers who turn out to be known ones, and known ones who never become each other."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from engine.facts import merging
from engine.facts.lookup import find_customer
from engine.store.tables import customer_aliases, decisions, enrollments, membership, messages, metadata

from .conftest import TestShop, micros
from .test_changes import queued

USE = "anonymous_id,email,shop_id,sku,kind,at\n"
AT = "2026-01-05T00:00Z"


def use(who: str, sku: str, at: str = AT) -> str:
    """`who` is anonymous id, address and shop id."""
    return f"{who},{sku},started,{at}\n"


def people(shop: TestShop) -> dict[str, set[str]]:
    """The names that lead to each customer, by their address or else their anonymous id."""
    found: dict[str, set[str]] = {}
    for value, customer in shop.rows("identities", "value", "customer_id"):
        found.setdefault(customer, set()).add(value)
    return {min(names, key=lambda name: ("@" not in name, name)): names for names in found.values()}


def used(shop: TestShop) -> dict[str, list[str]]:
    names = {customer: name for name, theirs in people(shop).items() for customer in _ids(shop, theirs)}
    found: dict[str, list[str]] = {}
    for customer, sku in shop.rows("consumption", "customer_id", "sku"):
        found.setdefault(names[customer], []).append(sku)
    return {name: sorted(skus) for name, skus in found.items()}


def _ids(shop: TestShop, names: set[str]) -> set[int]:
    return {customer for value, customer in shop.rows("identities", "value", "customer_id") if value in names}


def test_an_anonymous_customer_becomes_a_known_one(shop):
    shop.take(USE + use("a1,,", "guide"))
    assert used(shop) == {"a1": ["guide"]}
    summary = shop.take(USE + use("a1,ann@example.com,", "mug"))
    assert (summary.merges.count, summary.conflicts.count) == (0, 0), "they had nobody to be merged into"
    assert used(shop) == {"ann@example.com": ["guide", "mug"]}
    shop.take(USE + use("a1,,", "hat"))
    assert used(shop) == {"ann@example.com": ["guide", "hat", "mug"]}


def test_an_anonymous_customer_is_merged_into_a_known_one(shop):
    shop.take(USE + use("a1,,", "guide", "2025-12-01T00:00Z") + use(",ann@example.com,", "mug"))
    anonymous, ann = shop.rows("consumption", "customer_id")
    queued_before = shop.rows("changes", "customer_id")
    assert sorted(queued_before) == sorted([anonymous, ann])
    queued_names = shop.take(USE + use("a1,ann@example.com,", "hat"))
    assert (queued_names.merges.count, queued_names.merges.first) == (
        1,
        ("anonymous_id a1 into ann@example.com",),
    )
    assert used(shop) == {"ann@example.com": ["guide", "hat", "mug"]}
    assert shop.rows("customers", "email", "known_at") == [("ann@example.com", micros("2025-12-01T00:00Z"))]
    [(old, new)] = shop.rows("customer_aliases", "customer_id", "merged_into")
    with shop.store.reading() as connection:
        assert find_customer(connection, str(old)) == find_customer(connection, "ann@example.com") == new
        assert find_customer(connection, "a1") == new
    assert queued(shop) == ["ann@example.com"] * 2, "the old id left the queue"
    assert shop.take(USE + use("a1,ann@example.com,", "hat")).unchanged == 1


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_any_order_and_any_chunks(shop, monkeypatch, chunk):
    rows = [
        *(
            use("a1,,", "guide"),
            use("a1,ann@example.com,", "mug"),
            use(",ann@example.com,", "hat"),
            use(",ann@example.com,", "cup"),
        ),
        *(
            use("a2,,", "cap"),
            use("a2,ann@example.com,", "tie"),
            use("b1,,", "sock"),
            use(",bob@example.com,", "shoe"),
        ),
    ]
    monkeypatch.setattr("engine.facts.importing.CHUNK", chunk)
    for seed in range(4):
        shop.empty()
        shuffled = random.Random(seed).sample(rows, len(rows))
        for part in (shuffled[:4], shuffled[4:]):
            assert shop.take(USE + "".join(part)).rejected == 0
        expected = {"ann@example.com": ["cap", "cup", "guide", "hat", "mug", "tie"], "b1": ["sock"]}
        assert used(shop) == expected | {"bob@example.com": ["shoe"]}


def test_two_known_people_on_one_device_stay_two(shop):
    shop.take(USE + use("a1,ann@example.com,", "guide"))
    summary = shop.take(USE + use("a1,bob@example.com,", "mug"))
    assert (summary.inserted, summary.merges.count, summary.conflicts.count) == (1, 0, 1)
    assert summary.conflicts.first == ("anonymous_id a1 is not bob@example.com's, but another customer's",)
    assert used(shop) == {"ann@example.com": ["guide"], "bob@example.com": ["mug"]}


def test_an_address_and_a_shop_id_that_one_row_names_are_one(shop):
    shop.take(USE + use(",ann@example.com,", "guide") + use(",,7", "mug"))
    summary = shop.take(USE + use(",ann@example.com,7", "hat"))
    assert (summary.rejected, summary.merges.first) == (0, ("shop_id 7 into ann@example.com",))
    assert used(shop) == {"ann@example.com": ["guide", "hat", "mug"]}
    assert shop.rows("customers", "email", "shop_id") == [("ann@example.com", "7")]


@pytest.mark.parametrize("chunk", [1, 3, 100])
@pytest.mark.parametrize("seed", range(4))
def test_names_that_come_together_in_any_order_are_one(shop, monkeypatch, chunk, seed):
    monkeypatch.setattr("engine.facts.importing.CHUNK", chunk)
    rows = [
        *(use("a1,,", "guide"), use("a1,,7", "mug"), use(",,7", "hat"), use(",ann@example.com,", "cup")),
        *(use("a2,ann@example.com,", "tie"), use("a2,,", "cap"), use(",ann@example.com,7", "sock")),
    ]
    assert shop.take(USE + "".join(random.Random(seed).sample(rows, len(rows)))).rejected == 0
    assert used(shop) == {"ann@example.com": ["cap", "cup", "guide", "hat", "mug", "sock", "tie"]}
    assert len(shop.rows("customers", "customer_id")) == 1
    into = {who for _, who in shop.rows("customer_aliases", "customer_id", "merged_into")}
    assert into <= set(shop.rows("customers", "customer_id"))


@pytest.mark.parametrize("name", ["anonymous_id", "shop_id"])
def test_every_kind_of_fact_moves(shop, name):
    nameless = [
        f"anonymous_id,country,attribute.plan,updated_at\na1,AT,gold,{AT}\n",
        f"anonymous_id,granted,at\na1,yes,{AT}\n",
        f"order_id,anonymous_id,at,sku,amount,refunded_at,refund_amount\n1,a1,{AT},guide,7,{AT},2\n",
        f"anonymous_id,sku,kind,at\na1,guide,started,{AT}\n",
        f"anonymous_id,subscription_id,sku,status,at,ends_at\na1,s1,club,active,{AT},2026-01-09T00:00Z\n",
    ]
    known = [text.replace("anonymous_id", "email").replace("a1", "ann@example.com") for text in nameless]
    unnamed = [text.replace("anonymous_id", name) for text in nameless]
    for text in known:
        shop.take(text)
    expected = shop.meaning()
    shop.empty()
    for text in unnamed:
        shop.take(text)
    shop.take("email\nann@example.com\n")
    shop.take(f"{name},email\na1,ann@example.com\n")
    found = shop.meaning()
    for table in expected:
        if table not in ("identities", "customers"):
            assert [row[1:] for row in found[table]] == [row[1:] for row in expected[table]], table
    assert shop.rows("customers", "email", "country") == [("ann@example.com", "AT")]


def test_statements_of_one_subscription_under_both_names_unite(shop):
    head = "anonymous_id,email,subscription_id,sku,status,at,ends_at\n"
    shop.take(head + "a1,,s1,club,active,2026-01-01T00:00Z,2026-01-09T00:00Z\n")
    shop.take(head + ",ann@example.com,s1,club,cancelled,2026-01-05T00:00Z,2026-01-07T00:00Z\n")
    shop.take(head + "a1,ann@example.com,s1,club,active,2026-02-01T00:00Z,\n")
    found = sorted(shop.rows("subscriptions", "at", "status", "derived"))
    assert [(status, derived) for _, status, derived in found] == [
        ("active", False),
        ("cancelled", False),
        ("expired", True),
        ("active", False),
    ]


def test_orders_before_and_after_make_one_history_of_transactions(shop):
    head = "order_id,anonymous_id,email,at,sku,amount\n"
    shop.take(head + f"1,a1,,{AT},guide,7\n2,,ann@example.com,2026-02-01T00:00Z,mug,7\n")
    assert shop.rows("order_lines", "side") == ["front", "front"]
    shop.take("anonymous_id,email\na1,ann@example.com\n")
    assert shop.rows("transactions", "first_order_ref", "number") == [("1", 1), ("2", 2)]
    assert shop.rows("order_lines", "order_ref", "side") == [("1", "front"), ("2", "back")]


def _run(
    customer: int, campaign: str, step: str, at: object, spell: int = 1, **more: object
) -> dict[str, object]:
    return {
        "customer_id": customer, "campaign_id": campaign, "spell": spell, "version": "v", "entered_at": at, "held_out": False,
        "status": "active", "exit_reason": "", "step_id": step, "due_at": at, "updated_at": at,
    } | more  # fmt: skip


def _two_in_campaigns(shop, anonymous, ann):
    """Each a run, how many steps of it are decided, and perhaps how, by campaign; the ids of the two, merged."""
    shop.take(USE + use("a1,,", "guide") + use(",ann@example.com,", "mug"))
    ids = dict(shop.rows("identities", "value", "customer_id"))
    at = shop.clock.now()
    with shop.store.writing() as connection:
        for who, runs in ((ids["a1"], anonymous), (ids["ann@example.com"], ann)):
            for campaign, (status, steps, *how) in runs.items():
                key = {"customer_id": who, "campaign_id": campaign, "spell": 1}
                connection.execute(insert(enrollments), [_run(who, campaign, f"s{steps}", at, status=status)])
                connection.execute(insert(membership), [{**key, "inside": status == "active", "since": at}])
                verdict, reason = how or ("send", "due")
                said = {"verdict": verdict, "reason": reason, "detail": "", "at": at, "first_at": at}
                for number in range(steps):
                    connection.execute(insert(decisions), [{**key, "step_id": f"s{number}", **said}])
                mail = {
                    **key, "step_id": f"s{steps}", "version": "v", "track": "back-end", "status": "scheduled",
                    "planned_at": at, "due_at": at + timedelta(days=1), "attempt": 0,
                }  # fmt: skip
                connection.execute(insert(messages), [mail])
    shop.take("anonymous_id,email\na1,ann@example.com\n")
    return ids["a1"], ids["ann@example.com"]


RUN = ("active", 1)
NOWHERE = ("skip", "no_address")
UNITED = {  # the anonymous run, the known one, and the runs by spell: what each is, and how many steps it has
    "the known one has none": (RUN, None, [("active", "s1")], 1),
    "the anonymous one has none": (None, RUN, [("active", "s1")], 1),
    "the anonymous one is further": (("active", 2), RUN, [("exited", "s1"), ("active", "s2")], 2),
    "the known one is further": (RUN, ("active", 2), [("active", "s2"), ("exited", "s1")], 2),
    "both are as far": (RUN, RUN, [("active", "s1"), ("exited", "s1")], 2),
    "the anonymous one is through": (("finished", 2), RUN, [("exited", "s1"), ("finished", "s2")], 2),
    "the known one is through": (RUN, ("finished", 1), [("finished", "s1"), ("exited", "s1")], 2),
    "one had no address": (("finished", 2, *NOWHERE), RUN, [("active", "s1"), ("finished", "s2")], 2),
    "the other begins": (("finished", 1, *NOWHERE), ("active", 0), [("active", "s0"), ("finished", "s1")], 2),
    "both are through": (("finished", 1), ("exited", 1), [("exited", "s1"), ("finished", "s1")], 2),
}


@pytest.mark.parametrize("case", list(UNITED))
def test_of_two_runs_the_furthest_goes_on(shop, case):
    anonymous, known, expected, spells = UNITED[case]
    _, ann = _two_in_campaigns(shop, {"c": anonymous} if anonymous else {}, {"c": known} if known else {})
    found = sorted(shop.rows("enrollments", "customer_id", "spell", "status", "step_id"))
    assert found == [(ann, spell, *run) for spell, run in enumerate(expected, 1)]
    inside = any(run and run[0] == "active" for run in (anonymous, known))
    assert shop.rows("membership", "customer_id", "spell", "inside") == [(ann, spells, inside)]
    steps = sum(run[1] for run in (anonymous, known) if run)
    assert len(set(shop.rows("decisions", "customer_id", "spell", "step_id"))) == steps
    waiting = [who for who, status in shop.rows("messages", "customer_id", "status") if status == "scheduled"]
    goes_on = expected[0] if known else None
    assert waiting == ([ann] if known and (goes_on[0] == "active" or known[0] != "active") else [])


def test_every_table_of_customers_has_its_place_in_a_merge():
    named = {*merging.FACTS, *merging.LOOKED_AT, *merging.RUNS, *merging.DROPPED, *merging.KEPT}
    bound = {table for table in metadata.tables.values() if next(iter(table.columns)).name == "customer_id"}
    assert named == bound


def test_a_merge_of_a_merge_is_reached_through_its_first_id(shop):
    shop.take(USE + use("a1,,", "guide") + use("a2,,", "hat") + use(",ann@example.com,", "mug"))
    shop.take(USE + use("a1,ann@example.com,", "cup") + use("a2,ann@example.com,", "cup"))
    with shop.store.reading() as connection:
        aliases = dict(
            connection.execute(select(customer_aliases.c.customer_id, customer_aliases.c.merged_into)).all()
        )
    assert len(aliases) == 2
    assert set(aliases.values()) == set(shop.rows("customers", "customer_id"))
