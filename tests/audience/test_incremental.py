"""Invariant 4: what is found from the last look, the change queue and the clock is what a full look finds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select

from engine.audience.judged import CANDIDATES, EVERYBODY, PASSED
from engine.campaigns.model import Campaign, Email, Entry, Files, Step
from engine.facts.catalogue import Catalogue
from engine.planning.book import Book
from engine.planning.forecast import assume_sent
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.state import imagined, kept
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import Consumed
from engine.rules.conditions.segment import Segment
from engine.rules.model import Not, Rule
from engine.rules.people import people as people_of
from engine.settings.model import Settings
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.rules.crowd import crowd
from tests.rules.strategies import DAYS, NOW, leaves, rules
from tests.world import CATALOGUE, Line, Order, Person, Use, write

LIVES, OTHER_LIVES = crowd(150), crowd(60, seed=8)
COMPARED = (tables.membership, tables.enrollments, tables.decisions, tables.messages)
RESTOCKED = Catalogue(
    product.model_copy(update={"kind": "core", "tags": ()}) if product.sku == "mug" else product
    for product in CATALOGUE.values()
)


@dataclass(frozen=True)
class World:
    """What may change between two ticks, besides the facts."""

    now: datetime
    audiences: tuple[Rule, ...]
    goals: tuple[Rule | None, ...]
    entries: tuple[Entry, ...]
    named: Rule
    catalogue: Catalogue = field(default_factory=lambda: CATALOGUE)
    gone: frozenset[int] = frozenset()

    def book(self) -> Book:
        campaigns = [self._campaign(n) for n in range(len(self.audiences)) if n not in self.gone]
        return Book(Files(self.catalogue, {"named": self.named}, campaigns), Settings())

    def _campaign(self, number: int) -> Campaign:
        waits = (timedelta(0), timedelta(days=2))
        steps = tuple(Step(f"s{n}", wait, Email("Hello", "a.html")) for n, wait in enumerate(waits))
        return Campaign(
            f"c{number}",
            "1",
            steps,
            self.audiences[number],
            goal=self.goals[number],
            enter=self.entries[number],
        )


@dataclass
class Shop:
    """A store that is looked at again and again; a `forgetful` one looks at everybody each time."""

    store: Store
    forgetful: bool = False

    def fill(self, them: dict[int, Person]) -> None:
        with self.store.writing() as connection:
            write(connection, them)

    @contextmanager
    def for_a_while(self) -> Iterator["Visit"]:
        """What is done in it is forgotten at the end."""
        with suppress(Rollback), self.store.writing() as connection:
            yield Visit(connection, self.forgetful)
            raise Rollback


class Rollback(Exception):
    pass


@dataclass
class Visit:
    """A shop in one transaction."""

    connection: Connection
    forgetful: bool = False
    written: int = 0
    asked: set[tuple[int, str]] = field(default_factory=set)

    def happen(self, customer_id: int, person: Person) -> None:
        """Other facts than before, as an import of late or corrected ones leaves them."""
        self.written += 1
        for name in FACTS:
            table = tables.metadata.tables[name]
            self.connection.execute(delete(table).where(table.c.customer_id == customer_id))
        ours = tables.messages.c.campaign_id.like("c_")
        theirs = tables.messages.c.customer_id == customer_id
        self.connection.execute(delete(tables.messages).where(theirs, ~ours))
        write(self.connection, {customer_id: person})
        change = {"customer_id": customer_id, "change_id": self.written}
        self.connection.execute(tables.changes.insert(), change)

    def tick(self, world: World) -> Any:
        """Everything that a plan leaves behind."""
        book = world.book()
        if self.forgetful:
            self.connection.execute(delete(tables.looks))
        desk = make_plan(self.connection, book, kept(), world.now)
        merge(self.connection, book, desk, kept(), world.now)
        self.asked = self.held(world)  # before mails leave, which rules ask about too
        assume_sent(self.connection, kept())
        return [_rows(self.connection, table) for table in COMPARED]

    def inside(self) -> set[tuple[int, str]]:
        """Those that membership says are inside."""
        member = tables.membership.c
        found = self.connection.execute(select(member.customer_id, member.campaign_id).where(member.inside))
        return {(row[0], row[1]) for row in found}

    def held(self, world: World) -> set[tuple[int, str]]:
        """Those that the rules hold when everybody is asked."""
        book = world.book()
        scope = book.scope(world.now, self.connection.dialect.name)
        return {
            (customer_id, campaign.id)
            for campaign in book.campaigns
            for customer_id in self.connection.scalars(
                people_of(campaign.audience, scope, customers_only=True)
            )
        }


FACTS = (
    "customers",
    "funnel_events",
    "contact_state",
    "orders",
    "order_lines",
    "refunds",
    "consumption",
    "attributes",
    "consents",
    "subscriptions",
    "mail_events",
)


def _rows(connection: Connection, table: Any) -> list[Any]:
    columns = [column for column in table.columns if column.name not in ("attempt", "slot_at")]
    return [tuple(row) for row in connection.execute(select(*columns).order_by(*table.primary_key))]


entries = st.sampled_from([Entry(), Entry(repeats=True), Entry(repeats=True, again_after=timedelta(days=3))])
some_rules = st.one_of(rules, leaves)
worlds = st.integers(1, 3).flatmap(
    lambda n: st.builds(
        World,
        st.just(NOW),
        st.tuples(*[some_rules] * n),
        st.tuples(*[st.one_of(st.none(), leaves)] * n),
        st.tuples(*[entries] * n),
        leaves,
    )
)
passing = st.sampled_from([timedelta(microseconds=1), timedelta(hours=5), *DAYS])


def _edit(world: World, number: int, rule: Rule) -> World:
    place = number % len(world.audiences)
    return replace(world, audiences=(*world.audiences[:place], rule, *world.audiences[place + 1 :]))


Change = Callable[[World], World]
changes_of_the_world: st.SearchStrategy[Change] = st.one_of(
    passing.map(lambda span: lambda world: replace(world, now=world.now + span)),
    passing.map(lambda span: lambda world: replace(world, now=world.now - span)),
    st.builds(lambda n, rule: lambda world: _edit(world, n, rule), st.integers(0, 2), some_rules),
    leaves.map(lambda rule: lambda world: replace(world, named=rule)),
    st.sampled_from([CATALOGUE, RESTOCKED]).map(lambda c: lambda world: replace(world, catalogue=c)),
    st.frozensets(st.integers(0, 2), max_size=2).map(lambda gone: lambda world: replace(world, gone=gone)),
)
happenings = st.tuples(st.sampled_from(sorted(LIVES)), st.sampled_from(sorted(OTHER_LIVES)))
histories = st.lists(
    st.tuples(
        st.lists(happenings, max_size=20), st.one_of(st.just(lambda world: world), changes_of_the_world)
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shops(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shop, Shop]]:
    """One that remembers, on either database, and a forgetful one."""
    folder = tmp_path_factory.mktemp("looks")
    postgres = request.param == "postgres"
    url = request.getfixturevalue("new_postgres")() if postgres else f"sqlite:///{folder}/remembers.db"
    stores = Store(url), Store(f"sqlite:///{folder}/forgets.db")
    for store in stores:
        ensure_current(store)
    both = Shop(stores[0]), Shop(stores[1], forgetful=True)
    for shop in both:
        shop.fill(LIVES)
    yield both
    for store in stores:
        store.close()


@given(world=worlds, history=histories)
@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to read a history is quicker than to shrink it
)
def test_incremental_is_full(shops: tuple[Shop, Shop], world: World, history: Any) -> None:
    with shops[0].for_a_while() as remembering, shops[1].for_a_while() as forgetful:
        assert remembering.tick(world) == forgetful.tick(world)
        for happened, change in history:
            world = change(world)
            for customer_id, life in happened:
                for visit in (remembering, forgetful):
                    visit.happen(customer_id, OTHER_LIVES[life])
            assert remembering.tick(world) == forgetful.tick(world)
            of_book = {campaign.id for campaign in world.book().campaigns}
            assert {pair for pair in remembering.inside() if pair[1] in of_book} == remembering.asked


def test_a_look_judges_only_those_whose_answer_may_have_changed(store: Store) -> None:

    buyers = {
        n: Person(NOW - timedelta(days=90), [Order(NOW - timedelta(days=n), [Line("guide")])])
        for n in range(1, 9)
    }
    shop, rule = Shop(store), Bought(product="guide", within=timedelta(days=4))
    world = World(NOW, (rule,), (None,), (Entry(),), rule)
    shop.fill(buyers)
    later = replace(world, now=NOW + timedelta(hours=1))
    with store.writing() as connection:
        visit = Visit(connection)
        visit.tick(world)
        visit.happen(7, buyers[7])
    with store.reading() as connection:
        make_plan(connection, later.book(), imagined(connection), later.now)
        assert list(connection.scalars(select(CANDIDATES.c.customer_id))) == [7], "by a fact"
        assert list(connection.execute(select(PASSED))) == [("c0", 4)], "by time"
        assert list(connection.scalars(select(EVERYBODY.c.campaign_id))) == []
    edited = _edit(later, 0, Bought(product="guide", within=timedelta(days=5)))
    with store.reading() as connection:
        make_plan(connection, edited.book(), imagined(connection), later.now)
        assert list(connection.scalars(select(EVERYBODY.c.campaign_id))) == ["c0"], (
            "it asks another question now"
        )


GUIDE, COURSE = Bought(product="guide"), Bought(product="course")
DAY = timedelta(days=1)
AGAIN = Entry(repeats=True, again_after=3 * DAY)


def _buyer(*bought: tuple[int, str]) -> Person:
    """Someone who bought those products, each so many days ago."""
    return Person(NOW - 90 * DAY, [Order(NOW - days * DAY, [Line(sku)]) for days, sku in bought])


def _world(audience: Rule = GUIDE, goal: Rule | None = None, entry: Entry | None = None) -> World:
    return World(NOW, (audience,), (goal,), (entry or Entry(),), GUIDE)


def _later(world: World, days: float) -> World:
    return replace(world, now=world.now + days * DAY)


# what is asked, of whom, and the changes between the ticks; at the end, who is inside and how many runs began
STORIES: dict[str, tuple[World, Person, list[Change], bool, int]] = {
    "once does not begin again": (_world(), _buyer((9, "guide")), [lambda w: _later(w, 9)] * 2, True, 1),
    "a fact grows old enough": (
        _world(Bought(product="guide", older_than=10 * DAY)),
        _buyer((9, "guide")),
        [lambda w: _later(w, 1)],
        True,
        1,
    ),
    "a fact grows too old": (
        _world(Bought(product="guide", within=10 * DAY)),
        _buyer((9, "guide")),
        [lambda w: _later(w, 1.5)],
        False,
        1,
    ),
    "again, three days after entry, the run having ended on the second": (
        _world(entry=AGAIN),
        _buyer((9, "guide")),
        [lambda w: _later(w, 2), lambda w: _later(w, 0.5), lambda w: _later(w, 0.5)],
        True,
        2,
    ),
    "again, when the run ends, the third day having passed before": (
        _world(entry=AGAIN),
        _buyer((9, "guide")),
        [lambda w: _later(w, 5), lambda w: _later(w, 0.1)],
        True,
        2,
    ),
    "an order still to come makes a customer": (
        _world(Not(COURSE)),
        _buyer((-1, "guide")),
        [lambda w: _later(w, 1.5)],
        True,
        1,
    ),
    "another since, which within hides today": (
        _world(Bought(product="guide", within=30 * DAY, since=NOW - 5 * DAY)),
        _buyer((9, "guide")),
        [lambda w: _edit(w, 0, Bought(product="guide", within=30 * DAY, since=NOW - 20 * DAY))],
        True,
        1,
    ),
    "another until, which older_than hides today": (
        _world(Bought(product="guide", until=NOW - 20 * DAY)),
        _buyer((9, "guide")),
        [lambda w: _edit(w, 0, Bought(product="guide", until=NOW - 2 * DAY))],
        True,
        1,
    ),
    "the named segment asks for another product": (
        replace(_world(Segment(name="named")), named=COURSE),
        _buyer((9, "guide")),
        [lambda w: replace(w, named=GUIDE)],
        True,
        1,
    ),
    "the product is of another kind now": (
        _world(Bought(kind="core")),
        _buyer((9, "mug")),
        [lambda w: replace(w, catalogue=RESTOCKED)],
        True,
        1,
    ),
    "the clock goes back to before the order": (
        _world(),
        _buyer((9, "guide")),
        [lambda w: _later(w, -10)],
        False,
        1,
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_story_of_looks(store: Store, story: str) -> None:
    world, person, changes, inside, runs = STORIES[story]
    left = []
    for forgetful in (False, True):
        with store.writing() as connection:
            for table in tables.metadata.tables.values():
                connection.execute(delete(table))
            write(connection, {1: person})
            visit, now_world = Visit(connection, forgetful), world
            visit.tick(now_world)
            for change in changes:
                now_world = change(now_world)
                left_behind = visit.tick(now_world)
            left.append(left_behind)
            assert ((1, "c0") in visit.inside()) is inside
            assert len(left_behind[1]) == runs
    assert left[0] == left[1]


def test_a_goal_is_reached_by_time_too(store: Store) -> None:
    """A lesson finished in the future, by the clock of another machine."""
    world = _world(goal=Consumed(product="guide"))
    person = replace(_buyer((9, "guide")), uses=[Use(NOW + DAY, "guide", "c1")])
    with store.writing() as connection:
        write(connection, {1: person})
        visit = Visit(connection)
        visit.tick(world)
        _, runs, *_ = visit.tick(_later(world, 1.5))
        assert {"goal_reached", "exited"} <= set(runs[0])


def test_a_campaign_that_was_away_judges_everybody_when_it_returns(store: Store) -> None:
    world, away = _world(COURSE), frozenset({0})
    with store.writing() as connection:
        write(connection, {1: _buyer((9, "guide"))})
        visit = Visit(connection)
        visit.tick(world)
        visit.happen(1, _buyer((9, "guide"), (1, "course")))
        visit.tick(replace(_later(world, 1), gone=away))
        assert visit.inside() == set(), "the change was taken off the queue without this campaign"
        visit.tick(_later(world, 2))
        assert visit.inside() == {(1, "c0")}


def test_a_fixed_edge_and_one_that_moves_are_two_questions(store: Store) -> None:
    """SQLAlchemy keeps what it compiled: `at >= :since` must not stand in for `at >= now - :within`."""
    fixed = _world(Bought(product="guide", since=NOW - 10 * DAY))
    moving = _world(Bought(product="guide", within=10 * DAY))
    with store.writing() as connection:
        write(connection, {1: _buyer((9, "guide"))})
        for world in (fixed, moving, fixed):
            visit = Visit(connection, forgetful=True)
            visit.tick(world)
            assert visit.inside() == {(1, "c0")}


def test_where_nearly_everybody_may_have_changed_everybody_is_judged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an import of all there is: looking them up one by one would take longer."""
    monkeypatch.setattr("engine.audience.candidates.FEW", 2)
    world, people = _world(), {n: _buyer((9, "guide")) for n in range(1, 6)}
    with store.writing() as connection:
        write(connection, people)
        visit = Visit(connection)
        visit.tick(world)
        for changed, looks_at_all in (((1,), []), ((1, 2, 3), ["c0"])):
            for n in changed:
                visit.happen(n, _buyer((9, "course")))
            visit.tick(_later(world, 1))
            assert list(connection.scalars(select(EVERYBODY.c.campaign_id))) == looks_at_all
            assert visit.inside() == {(n, "c0") for n in people if n not in changed}
