"""The tables of cases: each holds on SQLite, on PostgreSQL, and before the slow judge."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from engine.rules.conditions import CONDITIONS
from engine.rules.explain import actual, actuals
from engine.rules.model import Scope
from engine.rules.parse import GROUPS
from engine.rules.people import people
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests import oracle
from tests.rules.cases import FOLDER, Case, read_cases
from tests.world import CATALOGUE, write

CASES = dict(enumerate(read_cases(), start=1))  # by the id of the case's person

every_case = pytest.mark.parametrize(
    ("customer_id", "case"), CASES.items(), ids=[case.name for case in CASES.values()]
)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def everybody(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that holds the person of every case."""
    store = Store(_url(request, tmp_path_factory))
    ensure_current(store)
    with store.writing() as connection:
        write(connection, {customer_id: case.person for customer_id, case in CASES.items()})
    yield store
    store.close()


def _url(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folders.mktemp('cases')}/store.db"
    return str(request.getfixturevalue("new_postgres")())


def held(store: Store, case: Case, *, one_by_one: bool) -> set[int]:
    scope = Scope(case.now, CATALOGUE, case.segments, store.engine.dialect.name)
    with store.reading() as connection:
        return set(connection.scalars(people(case.rule, scope.each() if one_by_one else scope)))


@every_case
def test_asked_of_everybody(everybody: Store, customer_id: int, case: Case) -> None:
    assert (customer_id in held(everybody, case, one_by_one=False)) is case.holds


@every_case
def test_asked_of_each(everybody: Store, customer_id: int, case: Case) -> None:
    assert (customer_id in held(everybody, case, one_by_one=True)) is case.holds


@every_case
def test_told_of_many_as_of_each(everybody: Store, customer_id: int, case: Case) -> None:
    scope = Scope(case.now, CATALOGUE, case.segments, everybody.engine.dialect.name).each()
    with everybody.reading() as connection:
        several = sorted({customer_id, *list(CASES)[::60]})
        many = actuals(connection, case.rule, scope, several)
        assert sorted(many) == several
        assert many[customer_id] == actual(connection, case.rule, scope, customer_id)


@every_case
def test_asked_of_the_slow_judge(customer_id: int, case: Case) -> None:
    assert oracle.judge(case.rule, case.person, case.now, case.segments) is case.holds


# ── the tables themselves ───────────────────────────────────────────────────────────────────────


def words_in(rule: Any, key: str) -> Iterator[str]:
    """The words that a condition is used with anywhere in a rule."""
    if isinstance(rule, dict):
        for name, inner in rule.items():
            if name == key:
                yield from inner if isinstance(inner, dict) else ["name"]
            else:
                yield from words_in(inner, key)
    elif isinstance(rule, list):
        for part in rule:
            yield from words_in(part, key)


def of(condition: str) -> list[Case]:
    return [case for case in CASES.values() if case.condition == condition]


def test_every_condition_has_its_table() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*CONDITIONS, "groups"}
    assert all(path.stem == case.condition for path in FOLDER.glob("*.yaml") for case in of(path.stem))


@pytest.mark.parametrize("key", CONDITIONS)
def test_every_word_of_a_condition_is_in_its_table(key: str) -> None:
    fields = CONDITIONS[key].model_fields
    words = {name.rstrip("_") for name, field in fields.items() if not field.exclude}
    used = {word for case in of(key) for word in words_in(case.written, key)}
    assert used == words


@pytest.mark.parametrize("key", [*CONDITIONS, "groups"])
def test_a_table_has_enough_cases_of_both_answers(key: str) -> None:
    answers = Counter(case.holds for case in of(key))
    assert min(answers[True], answers[False]) >= 4
    assert answers.total() >= 10


def test_every_group_occurs() -> None:
    assert {name for case in of("groups") for name in case.written} == set(GROUPS)


def test_every_case_says_something_of_its_own() -> None:
    assert max(Counter(case.name for case in CASES.values()).values()) == 1
