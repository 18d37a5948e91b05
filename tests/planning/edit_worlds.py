"""Random worlds in which files are edited while people are in flight, and such a world told as a story."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from engine.delivery.outbox import Outbox, Outcome
from engine.delivery.states import Status
from engine.planning.pauses import pause, resume
from engine.settings.model import Settings
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.edit_judge import Judge, kept
from tests.planning.edits import (
    AUDIENCES,
    CAPS,
    KINDS,
    SKUS,
    WAITS,
    WINDOWS,
    Edit,
    FileText,
    House,
    StepText,
    closed,
)
from tests.planning.harness import Answer
from tests.planning.wall import DAY, SHOP, ZONES
from tests.planning.worlds import World, life, on, people
from tests.world import Person

HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=1)
CALM = 150 * DAY  # far more than five steps can take with all their waits
GAPS = [HOUR / 3, 3 * HOUR, 7 * HOUR, DAY, 2 * DAY, 6 * DAY]


@dataclass(frozen=True)
class Turn:
    """The time until the next tick, the edits made in it, and whether the mails of that tick leave at once."""

    after: timedelta
    edits: Sequence[Edit]
    carried: bool = True


steps = st.lists(
    st.tuples(st.sampled_from(WAITS), st.sampled_from(["", "", *WINDOWS])), min_size=1, max_size=4
).map(
    lambda chosen: tuple(StepText(f"s{n}", f"s{n}", wait, send=send) for n, (wait, send) in enumerate(chosen))
)
words = {
    "audience": st.sampled_from(AUDIENCES),
    "enter": st.sampled_from(["once", "every_time", "{again_after: 3d}"]),
    "hold": st.sampled_from(["{at_most: 3d}", "{at_most: 9d}", "{at_most: 6d, then: exit}"]),
}
marketing = st.fixed_dictionaries(
    {**words, "holdout": st.sampled_from(["0%", "0%", "40%"]), "offers": st.sampled_from(SKUS)},
    optional={"while_": st.just("{bought: {any: true}}"), "goal": st.just("{bought: {product: course}}")},
)
owed = st.fixed_dictionaries({**words, "transactional": st.just("true")})
files = st.lists(st.tuples(st.one_of(marketing, marketing, owed), steps), min_size=2, max_size=4).map(
    lambda chosen: tuple(FileText(f"c{n}", f"c{n}", some, told) for n, (told, some) in enumerate(chosen))
)
houses = st.builds(
    House,
    files,
    st.fixed_dictionaries(
        {"frequency": st.sampled_from(CAPS), "shop": st.just({"timezone": SHOP})},
        optional={"minimum_gap": st.sampled_from(["5h", "2d"]), "quiet_hours": st.just("22:00-07:00")},
    ),
)
persons = st.lists(
    st.builds(lambda person, zone: replace(person, timezone=zone), people, st.sampled_from(ZONES)),
    min_size=1,
    max_size=4,
)
edits = st.builds(Edit, st.sampled_from(KINDS), st.integers(0, 999))
turns = st.lists(
    st.builds(Turn, st.sampled_from(GAPS), st.lists(edits, max_size=2), st.sampled_from([True, True, False])),
    min_size=6,
    max_size=16,
)


@dataclass(frozen=True)
class EditedWorld:
    """Its people, the files that it begins with, and what is done to them from tick to tick."""

    persons: Sequence[Person]
    house: House
    turns: Sequence[Turn]


worlds = st.builds(EditedWorld, persons, houses, turns)


@dataclass
class Lived:
    """A world on one store, tick by tick. `told` is its story."""

    world: EditedWorld
    store: Store
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        beginning = World(self.world.persons, (), self.world.house.settings)
        self.shop = beginning.shop(self.store, sends=False)
        self.shop.whole = True
        self.judge = Judge(self.shop)
        self.house = self.world.house
        self.now = NOW
        self._move_in(self.house)
        self.told += [f"settings: {dict(self.house.settings)}", *(file.told() for file in self.house.files)]
        self.told += [
            f"customer {who}: {life(person)}, in {person.timezone or 'no zone'}"
            for who, person in beginning.people.items()
        ]

    def live(self) -> Iterator[list[Answer]]:
        """What is decided at each tick, all judged."""
        yield self._tick(carried=True)
        for turn in self.world.turns:
            self.now += turn.after
            for edit in turn.edits:
                self.edit(edit.kind, edit.of(self.house))
            yield self._tick(carried=turn.carried)
        yield from self._to_the_end()

    def edit(self, kind: str, edited: House) -> None:
        if changed := edited.told_beside(self.house):
            self.told.append(f"{on(self.now)} edit, {kind}: {'; '.join(changed)}")
        self._move_in(edited)

    def _to_the_end(self) -> Iterator[list[Answer]]:
        """Nobody enters any more, and who is in comes to an end: nobody is forgotten."""
        end = self.now + CALM
        self.edit("all is closed", closed(self.house))
        while self.now < end and (ahead := self._ahead()):
            self.now = min(at if at > self.now else self.now + DAY for at in ahead)
            yield self._tick(carried=True)
        waiting = [key for key, run in kept(self.shop).runs.items() if run["status"] == "active"]
        assert not waiting, f"{waiting} are still in after {CALM.days} days"

    def _ahead(self) -> list[datetime]:
        """When something is to be asked again."""
        rows = kept(self.shop)
        runs = [run["wake_at"] for run in rows.runs.values() if run["status"] == "active"]
        return runs + [mail["due_at"] for mail in rows.mails.values() if mail["status"] == "scheduled"]

    def _move_in(self, house: House) -> None:
        self.shop.campaigns = [str(file) for file in house.files]
        self.shop.broken = tuple(file.name for file in house.files if file.id in house.broken)
        self.shop.settings = Settings(**house.settings)
        with self.store.writing() as connection:
            for each in house.paused - self.house.paused:
                pause(connection, each, self.now)
            for each in self.house.paused - house.paused:
                resume(connection, each, self.now)
        self.house = house

    def _tick(self, *, carried: bool) -> list[Answer]:
        before = kept(self.shop)
        answers = self.shop.tick(self.now)
        after = kept(self.shop)
        self.told += [
            f"{on(self.now)} customer {who}: {campaign}/{step} {verdict}, {reason}"
            for who, campaign, step, verdict, reason in answers
        ]
        self.judge.judge(self.now, self.house.paused, before, after)
        if carried:
            self._carry()
            self.judge.sent(after, kept(self.shop))
        return answers

    def _carry(self) -> None:
        """What may leave does, by the outbox itself."""
        versions = {each.id: each.version for each in self.shop.book.campaigns}
        box = Outbox(self.store, "postman", LEASE, "folder", versions)
        batch = box.claim(box.due(self.now, 1_000), self.now)
        box.settle({attempt: Outcome(Status.ACCEPTED) for attempt in batch}, self.now)
