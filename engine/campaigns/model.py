"""A campaign as the engine uses it, read and checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from engine.campaigns.names import Names
from engine.documents import Document, KeyPath
from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.rules.model import Rule, StepNames


@dataclass(frozen=True)
class Email:
    """One mail's copy: a subject, which is a small template, and a template below `templates/`."""

    subject: str
    template: str


@dataclass(frozen=True)
class Step:
    """One mail of a sequence. `after` counts from entry, later from the decision on the step before.

    `id` is the one it began with, under which the store knows it; `name` is what its file calls it now.
    """

    id: str
    after: timedelta
    email: Email
    when: Rule | None = None
    number: int = 0  # its place among the steps of the file
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
    track: str = "back-end"
    description: str = ""
    topic: str = "marketing"
    offers: tuple[str, ...] = ()
    enter: Entry = Entry()
    while_: Rule | None = None
    goal: Rule | None = None
    priority: int = 50
    holdout: Decimal = Decimal(0)
    definition: str = field(default="", repr=False)  # JSON, as written
    document: Document | None = field(default=None, repr=False, compare=False)
    name: str = ""

    @property
    def file(self) -> str:
        """The file it stands in; its id where it stands in none."""
        return self.document.file if self.document else self.id

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
