"""A campaign as the engine uses it, read and checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from engine.campaigns.names import Names
from engine.campaigns.triggers import Trigger
from engine.campaigns.wording import Words
from engine.documents import Document, KeyPath
from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.rules.model import Rule, StepNames
from engine.zones import WHOLE_DAY, Hours

EVERY_DAY = frozenset(range(7))  # Monday is 0
CUSTOMER, SHOP = "customer", "shop"  # whose time zone, where it is not one by name
BACK_END, FRONT_END = "back-end", "front-end"  # the tracks
THEIR_OWN = "customer"  # the holidays of the customer's country
Late = Literal["next_window", "send", "skip"]


@dataclass(frozen=True)
class Email:
    """One mail's copy: subject and preheader, which are small templates, and one below `templates/`."""

    subject: Words
    template: str
    preheader: Words = ""


@dataclass(frozen=True)
class Send:
    """When a mail may go: days and hours, in whose zone, on which holidays not, and what if it is late."""

    days: frozenset[int] = EVERY_DAY
    between: Hours = WHOLE_DAY
    timezone: str = CUSTOMER  # or SHOP, or a zone's name
    holidays: tuple[str, ...] = ()  # countries, or THEIR_OWN
    late: Late = "next_window"
    latest: timedelta | None = None

    @property
    def at_any_time(self) -> bool:
        """Whether it has no window at all."""
        return self.days == EVERY_DAY and self.between.whole_day and not self.holidays


@dataclass(frozen=True)
class Waiting:
    """How long a mail may have to wait, and what comes then; None where somebody else has the say."""

    at_most: timedelta | Literal["forever"] | None = None
    then: Literal["skip", "exit"] | None = None

    def under(self, above: "Waiting") -> "Waiting":
        """These words, and for those left out what stands above."""
        return Waiting(above.at_most if self.at_most is None else self.at_most, self.then or above.then)


@dataclass(frozen=True)
class Step:
    """One mail of a sequence. `after` counts from entry, later from the decision on the step before.

    With `local_days` the wait is so many days by the customer's own calendar, at the same time of day.
    `id` is the one it began with, under which the store knows it; `name` is what its file calls it now.
    """

    id: str
    after: timedelta
    email: Email
    when: Rule | None = None
    number: int = 0  # its place among the steps of the file
    local_days: int | None = None
    send: Send = Send()
    hold: Waiting = Waiting()
    name: str = ""


@dataclass(frozen=True)
class Entry:
    """How often one customer may run through: once, every time, or again after a while since entry."""

    repeats: bool = False
    again_after: timedelta = timedelta(0)


@dataclass(frozen=True)
class Campaign:
    """A checked campaign file. `version` is a digest of all it says.

    `id` is the one it began with, under which the store knows it; `name` is what its file calls it now.
    """

    id: str
    version: str
    steps: tuple[Step, ...]
    audience: Rule
    track: str = BACK_END
    description: str = ""
    transactional: bool = False
    topic: str = "marketing"  # '' where it is transactional
    offers: tuple[str, ...] = ()
    enter: Entry = Entry()
    on: Trigger | None = None
    while_: Rule | None = None
    goal: Rule | None = None
    priority: int = 50
    holdout: Decimal = Decimal(0)
    cool_down: timedelta | None = None  # after a purchase; None: as the settings say
    offers_again_after: timedelta | None = None  # a refusal in the front end; None: as the settings say
    definition: str = field(default="", repr=False)  # JSON, as written
    document: Document | None = field(default=None, repr=False, compare=False)
    name: str = ""

    @property
    def file(self) -> str:
        """The file it stands in; its id where it stands in none."""
        return self.document.file if self.document else self.id

    @property
    def rules(self) -> Sequence[tuple[KeyPath, Rule]]:
        """All its rules, with their places in its file."""
        asked = (("audience", self.audience), ("while", self.while_), ("goal", self.goal))
        rules: list[tuple[KeyPath, Rule | None]] = [((key,), rule) for key, rule in asked]
        rules += [(("steps", step.number, "when"), step.when) for step in self.steps]
        return [(path, rule) for path, rule in rules if rule is not None]

    def step(self, step_id: str) -> Step:
        return next(step for step in self.steps if step.id == step_id)

    def next_step(self, step_id: str) -> Step | None:
        """The one after it, if any."""
        place = [step.id for step in self.steps].index(step_id)
        return self.steps[place + 1] if place + 1 < len(self.steps) else None

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """A problem at a place in the campaign's file."""
        if self.document is None:
            return Problem(self.file, 0, 0, message, hint)
        return self.document.problem(path, message, hint)


@dataclass(frozen=True)
class Files:
    """What the files of a project say, and everything that is wrong with them.

    `campaigns` holds the sound ones only, `sketches` the others, as far as their copy can be read,
    `step_names` the ids of all. `shared_trouble` tells that products or segments are wrong, so that
    no campaign can be trusted; `products_known` that the products at least are right. `ids` are those
    of all campaigns, sound or not; None where there is no file, or one whose id cannot be read.
    """

    catalogue: Catalogue
    segments: Mapping[str, Rule]
    campaigns: Sequence[Campaign]
    step_names: StepNames = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    shared_trouble: bool = False
    sketches: Sequence[Campaign] = ()
    products_known: bool = True
    ids: frozenset[str] | None = None
    names: Names = field(default_factory=Names)

    def campaign(self, name: str) -> Campaign | None:
        """The sound campaign that is called so, or began so."""
        return next((each for each in self.campaigns if name in (each.id, each.name)), None)


def names_of(campaigns: Iterable[Campaign]) -> Names:
    """What they and their steps are called now."""
    every = list(campaigns)
    steps = {(each.id, step.id): step.name for each in every for step in each.steps if step.name}
    return Names({each.id: each.name for each in every if each.name}, steps)
