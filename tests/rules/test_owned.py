"""Owning a subscription: the same to SQL, to plain Python, and to what follows from it."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.conditions.bought import Bought
from engine.rules.conditions.owned import Owned
from engine.rules.conditions.subscribed import Subscribed
from engine.rules.model import Rule, Scope
from engine.rules.people import people
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests import oracle
from tests.rules.crowd import crowd
from tests.rules.strategies import NOW, subscribed_rules, time_words
from tests.world import CATALOGUE, Change, Line, Order, Person, write

CROWD = crowd()
for number, person in CROWD.items():  # some of them bought the club in the shop
    if number % 3 == 0:
        person.orders.append(Order(NOW, [Line("club", refunded_at=NOW if number % 2 else None)]))

owned_rules = st.builds(
    lambda product, words: Owned(bought=Bought(product=product, **words)),
    st.sampled_from(["club", "patron"]),
    st.one_of(st.just({}), time_words(), st.just({"at_least": 1})),
)


def has(rule: Rule, person: Person, now: datetime) -> bool:
    """The slow judge, of who owns a subscription too."""
    if not isinstance(rule, Owned):
        return oracle.judge(rule, person, now)
    bought = oracle.judge(rule.bought, person, now)
    lasts = [max(of_one, key=lambda c: c.at) for of_one in by_subscription(person, now)]
    runs = any(last.sku == rule.product and still_runs(last, now) for last in lasts)
    known = any(change.sku == rule.product and change.at <= now for change in person.changes)
    owned = runs or (bought and not known)
    return person.known_at <= now and owned and (bought or rule.plain)


def by_subscription(person: Person, now: datetime) -> list[list[Change]]:
    told = [change for change in person.changes if change.at <= now]
    return [[c for c in told if c.subscription == name] for name in {c.subscription for c in told}]


def still_runs(last: Change, now: datetime) -> bool:
    if last.ends_at is not None and last.ends_at <= now:
        return False
    return last.status in ("active", "past_due") or (last.status == "cancelled" and last.ends_at is not None)


@pytest.fixture
def busy(store: Store) -> Store:
    ensure_current(store)
    with store.writing() as connection:
        write(connection, CROWD)
    return store


@pytest.mark.parametrize("more", [{}, {"within": "3d"}, {"at_least": 1}])
@pytest.mark.parametrize("product", ["club", "patron"])
def test_sql_and_the_slow_judge_agree(busy: Store, product: str, more: dict[str, object]) -> None:
    rule = Owned(bought=Bought.model_validate({"product": product, **more}))
    scope = Scope(NOW, CATALOGUE, dialect=busy.engine.dialect.name)
    expected = {number for number, person in CROWD.items() if has(rule, person, NOW)}
    with busy.reading() as connection:
        assert set(connection.scalars(people(rule, scope))) == expected
        assert set(connection.scalars(people(rule, scope.each()))) == expected


@pytest.mark.parametrize("conclusions", [owned_rules, st.builds(Bought, product=st.just("club"))])
def test_what_follows_is_true(conclusions: st.SearchStrategy[Rule]) -> None:
    @given(premise=st.one_of(owned_rules, subscribed_rules), conclusion=conclusions)
    @settings(max_examples=500)
    def is_sound(premise: Rule, conclusion: Rule) -> None:
        if premise.implies(conclusion, Scope(NOW, CATALOGUE)):  # type: ignore[arg-type]
            assert all(has(premise, p, NOW) <= has(conclusion, p, NOW) for p in CROWD.values())

    is_sound()


def test_a_subscriber_owns_and_need_not_have_bought() -> None:
    scope, active = Scope(NOW, CATALOGUE), Subscribed(product="club")
    owned, lately = (Owned(bought=Bought(product="club", **words)) for words in ({}, {"at_least": 1}))
    assert active.implies(owned, scope)
    assert not active.implies(lately, scope)
    assert not Subscribed(product="club", status="cancelled").implies(owned, scope)
    assert not owned.implies(Bought(product="club"), scope)
    assert lately.implies(owned, scope)
    assert lately.implies(Bought(product="club"), scope)
