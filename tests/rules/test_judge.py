"""Invariant 4: a rule means the same on SQLite, on PostgreSQL and to the slow judge."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from engine.rules.explain import explain
from engine.rules.model import Rule, Scope
from engine.rules.people import people as people_of
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests import oracle
from tests.rules.crowd import crowd
from tests.rules.strategies import (
    NOW,
    attribute_rules,
    bare_bought,
    bought_rules,
    clicked_rules,
    consumed_rules,
    first_order_rules,
    instants,
    last_order_rules,
    leaves,
    offered_rules,
    opened_rules,
    ordered_rules,
    people,
    received_rules,
    rules,
    source_rules,
    spent_rules,
    started_rules,
    subscribed_rules,
    then_rules,
)
from tests.world import CATALOGUE, Person, write
from tests.worlds import so_many

SLOW = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
crowds = st.lists(people, min_size=1, max_size=6).map(lambda them: dict(enumerate(them, start=1)))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for many examples, each of which is rolled back."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('judge')}/store.db"
    else:
        url = request.getfixturevalue("new_postgres")()
    store = Store(url)
    ensure_current(store)
    yield store
    store.close()


class Rollback(Exception):
    pass


def in_store(store: Store, them: dict[int, Person], look: Any) -> None:
    """Write the crowd, look, and forget it again."""
    with suppress(Rollback), store.writing() as connection:
        _clear(connection)
        write(connection, them)
        look(connection)
        raise Rollback


def _clear(connection: Connection) -> None:
    for table in tables.metadata.tables.values():
        connection.execute(delete(table))


def held(connection: Connection, rule: Rule, scope: Scope) -> set[int]:
    return set(connection.scalars(people_of(rule, scope)))


@pytest.fixture(scope="module")
def busy(judged: Store) -> dict[int, Person]:
    """The fixed crowd, written into the store once."""
    them = crowd()
    with judged.writing() as connection:
        write(connection, them)
    return them


def agree(judged: Store, them: dict[int, Person], rule: Rule, named: Rule, now: datetime) -> None:
    segments = {"named": named}
    expected = {i for i, person in them.items() if oracle.judge(rule, person, now, segments)}
    customers = {i for i in expected if oracle.is_customer(them[i], now)}
    scope = Scope(now, CATALOGUE, segments, judged.engine.dialect.name)
    with judged.reading() as connection:
        assert held(connection, rule, scope) == expected
        assert held(connection, rule, scope.each()) == expected
        assert set(connection.scalars(people_of(rule, scope, customers_only=True))) == customers


KINDS = {
    "bought": bought_rules(),
    "ordered": ordered_rules(),
    "spent": spent_rules(),
    "first_order": first_order_rules,
    "last_order": last_order_rules,
    "then": then_rules,
    "started": started_rules,
    "consumed": consumed_rules(),
    "subscribed": subscribed_rules,
    "offered": offered_rules,
    "received": received_rules,
    "opened": opened_rules,
    "clicked": clicked_rules,
    "attribute": attribute_rules,
    "source": source_rules,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_condition_holds_whom_the_judge_says(judged: Store, busy: Any, kind: Any) -> None:
    @given(rule=KINDS[kind])
    @settings(SLOW, max_examples=50)
    def everybody_agrees(rule: Rule) -> None:
        agree(judged, busy, rule, rule, NOW)

    everybody_agrees()


@given(rule=rules, named=leaves, now=instants)
@settings(SLOW, max_examples=150)
def test_a_rule_holds_whom_the_judge_says(
    judged: Store, busy: Any, rule: Rule, named: Rule, now: datetime
) -> None:
    agree(judged, busy, rule, named, now)


@given(them=crowds, rule=rules, named=leaves)
@settings(SLOW, max_examples=40)
def test_explain_says_what_the_rule_does(judged: Store, them: Any, rule: Rule, named: Rule) -> None:
    scope = Scope(NOW, CATALOGUE, {"named": named}, judged.engine.dialect.name)

    def look(connection: Connection) -> None:
        for customer_id, person in them.items():
            answer = explain(connection, rule, scope, customer_id)
            if person.known_at <= NOW:
                assert answer.holds == oracle.judge(rule, person, NOW, {"named": named})
            assert (answer.first_false() is None) == answer.holds

    in_store(judged, them, look)


spans = st.sampled_from([timedelta(microseconds=1), timedelta(hours=5), timedelta(days=1), timedelta(days=9)])


@given(rule=rules, named=leaves, passed=spans, backwards=st.booleans())
@settings(SLOW, max_examples=300)
def test_crossings_find_everybody_whose_answer_time_changed(
    judged: Store, busy: Any, rule: Rule, named: Rule, passed: timedelta, backwards: bool
) -> None:
    before, after = (NOW, NOW - passed) if backwards else (NOW - passed, NOW)
    segments = {"named": named}
    changed = {
        i
        for i, person in busy.items()
        if person.known_at <= NOW - passed
        and oracle.judge(rule, person, before, segments) != oracle.judge(rule, person, after, segments)
    }
    scope = Scope(after, CATALOGUE, segments, judged.engine.dialect.name)
    with judged.reading() as connection:
        found = {i for who in rule.crossings(scope.looked_at(before)) for i in connection.scalars(who)}
    assert changed <= found


CROWD = crowd()


@pytest.mark.parametrize(
    "kind",
    [
        *(st.one_of(bought_rules(), bare_bought), consumed_rules(), ordered_rules()),
        *(st.one_of(started_rules, consumed_rules()), subscribed_rules, received_rules),
        *(opened_rules, clicked_rules, offered_rules),
    ],
)
def test_what_a_condition_implies_is_true_of_whoever_it_holds(kind: Any) -> None:
    proven = 0

    @given(premise=kind, conclusion=kind)
    @settings(SLOW, max_examples=so_many(700))
    def is_sound(premise: Rule, conclusion: Any) -> None:
        nonlocal proven
        if premise.implies(conclusion, Scope(NOW, CATALOGUE)):
            proven += 1
            wrong = [
                i
                for i, p in CROWD.items()
                if oracle.judge(premise, p, NOW) > oracle.judge(conclusion, p, NOW)
            ]
            assert not wrong

    is_sound()
    assert proven > 20, "so few proofs that nothing was tested"


@given(premise=rules, conclusion=st.one_of(bought_rules(), consumed_rules(), started_rules), named=leaves)
@settings(SLOW, max_examples=so_many(500))
def test_what_a_rule_implies_is_true_of_whoever_it_holds(premise: Rule, conclusion: Any, named: Rule) -> None:
    segments = {"named": named}
    if premise.implies(conclusion, Scope(NOW, CATALOGUE, segments)):
        for person in CROWD.values():
            assert oracle.judge(premise, person, NOW, segments) <= oracle.judge(conclusion, person, NOW)


def test_every_condition_is_among_the_random_rules() -> None:
    from engine.rules.conditions import CONDITIONS
    from tests.oracle import _JUDGES

    assert {*_JUDGES} | {CONDITIONS["segment"]} == set(CONDITIONS.values())
