"""Why a rule holds somebody at one of two instants only: the clause that turned, by the table."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event

from engine.documents import parse_document
from engine.rules.model import Rule, Scope
from engine.rules.parse import RuleParser
from engine.rules.turning import Between
from engine.store.connect import Store
from tests.conftest import NOW
from tests.world import CATALOGUE, Line, Order, Person, Use, write

DAY = timedelta(days=1)
EARLIER = NOW - 10 * DAY
OLD = NOW - 100 * DAY
SEGMENTS = "all: [{bought: {product: guide}}, {not: {bought: {product: course}}}]"
GUIDE, COURSE = Order(NOW - 5 * DAY, [Line("guide")]), Order(NOW - 3 * DAY, [Line("course")])
SINCE_LONG = Order(NOW - 50 * DAY, [Line("guide")])
SENT_BACK = Order(NOW - 50 * DAY, [Line("guide", refunded_at=NOW - DAY)])
READ = [Use(NOW - 60 * DAY, "guide", "c1")]

# the rule, the person, the clause that turned, and whether it holds now; None where none did
TURNED: dict[str, tuple[str, Person, tuple[str, bool] | None]] = {
    "a fact came": ("bought: {product: guide}", Person(OLD, [GUIDE]), ("bought The Guide", True)),
    "a fact was taken back": (
        "bought: {product: guide}",
        Person(OLD, [SENT_BACK]),
        ("bought The Guide", False),
    ),
    "time alone": (
        "bought: {product: guide, within: 45d}",
        Person(OLD, [SINCE_LONG]),
        ("bought The Guide at most 45 days ago", False),
    ),
    "the part that had not held yet": (
        "all: [{consumed: {product: guide}}, {bought: {product: guide}}]",
        Person(OLD, [GUIDE], uses=READ),
        ("bought The Guide", True),
    ),
    "of two that turned the first": (
        "all: [{bought: {product: course}}, {bought: {product: guide}}]",
        Person(OLD, [GUIDE, COURSE]),
        ("bought The Course", True),
    ),
    "not the part that turned the other way": (
        "any: [{bought: {product: guide, older_than: 60d}}, {not: {bought: {product: course}}}]",
        Person(OLD, [COURSE]),
        ("bought The Course", True),
    ),
    "what must not be": (
        "not: {all: [{bought: {product: guide}}, {bought: {product: course}}]}",
        Person(OLD, [SINCE_LONG, COURSE]),
        ("bought The Course", True),
    ),
    "inside a segment": ("segment: hopeful", Person(OLD, [SINCE_LONG, COURSE]), ("bought The Course", True)),
    "not known yet": (
        "not: {bought: {product: course}}",
        Person(NOW - 4 * DAY, [GUIDE]),
        ("is known", True),
    ),
    "a customer now": ("not: {bought: {product: course}}", Person(OLD, [GUIDE]), ("is a customer", True)),
    "nothing turned": ("bought: {product: guide}", Person(OLD, [SINCE_LONG]), None),
}


def _rule(text: str, *segments: str) -> Rule:
    document = parse_document("rule.yaml", text)
    return RuleParser(document, CATALOGUE, segments).parse(document.data, ())


@pytest.mark.parametrize("case", list(TURNED))
def test_the_clause_that_turned(store: Store, case: str) -> None:
    text, person, expected = TURNED[case]
    with store.writing() as connection:
        write(connection, {1: person, 2: Person(OLD)})
        scope = Scope(NOW, CATALOGUE, {"hopeful": _rule(SEGMENTS)}, connection.dialect.name)
        turn = Between(connection, scope.at(EARLIER), scope).turns(_rule(text, "hopeful"), [1]).get(1)
    assert (turn and (turn.sentence, turn.after.holds)) == expected
    if turn:
        assert turn.before.holds is not turn.after.holds


def test_what_it_was_judged_on_at_both_instants(store: Store) -> None:
    with store.writing() as connection:
        write(connection, {1: Person(OLD, [GUIDE])})
        scope = Scope(NOW, CATALOGUE, dialect=connection.dialect.name)
        turn = (
            Between(connection, scope.at(EARLIER), scope).turns(_rule("bought: {product: guide}"), [1]).get(1)
        )
    assert turn is not None
    assert turn.as_json() == {
        "sentence": "bought The Guide",
        "before": {"holds": False, "actual": "never bought"},
        "after": {"holds": True, "actual": "1 order, last 2026-03-05 (5 days ago)"},
    }


def test_many_are_told_as_each_is_by_one_statement_for_each_clause(store: Store) -> None:
    people = dict(enumerate([person for _, person, _ in TURNED.values()] * 3, 1))
    segments = {"hopeful": _rule(SEGMENTS)}
    with store.writing() as connection:
        write(connection, people)
        scope = Scope(NOW, CATALOGUE, segments, connection.dialect.name)
        between = Between(connection, scope.at(EARLIER), scope)
        for text, _, _ in TURNED.values():
            rule = _rule(text, "hopeful")
            asked = _statements(connection, lambda rule=rule: between.turns(rule, list(people)))
            many = between.turns(rule, list(people))
            assert many == {one: turn for one in people if (turn := between.turns(rule, [one]).get(one))}
            assert asked <= 16, "however many people there are"


def _statements(connection: Connection, act: Callable[[], object]) -> int:
    asked: list[object] = []

    def note(*given: object) -> None:
        asked.append(given[2])

    event.listen(connection, "before_cursor_execute", note)
    act()
    event.remove(connection, "before_cursor_execute", note)
    return len(asked)
