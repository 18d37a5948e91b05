"""What a rule is: a condition, or rules joined by all, any and not.

A rule becomes SQL over `customers.customer_id` (`test`), a sentence (`sentence`), the customers
whom the mere passing of time may have carried over one of its edges (`crossings`), and an answer
to whether it proves another (`implies`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    except_,
    false,
    literal,
    not_,
    or_,
    true,
)

from engine.facts.catalogue import Catalogue
from engine.store.dialect import among
from engine.store.tables import customers, messages
from engine.store.types import Instant, MovingInstant

Rows = Select[*tuple[Any, ...]]
Customer = int | ColumnElement[int]  # one, or each of those that a statement around it names
CustomerIds = Rows  # whose first column is the customer's id
Sets = CompoundSelect[*tuple[Any, ...]]  # several of them, united or taken from each other
StepNames = Mapping[str, Collection[str]]  # the ids of all campaigns, and of the steps of each


@dataclass
class Hand:
    """The hand of the clock: statements made once are asked again and again, each time at its instant."""

    now: datetime
    since: datetime  # the last look


@dataclass(frozen=True)
class Scope:
    """What a rule is judged against: an instant, the catalogue, the named segments, the database.

    `minor_units` is how many make one unit of the shop's currency.
    `since` is the instant of the last look, for what the time has changed. With a `hand` the statements
    ask about the instant where it stands when they are executed, rather than about `now`.
    `person` is the column of whose row is asked about; of a few candidates it may be their own table's.
    `after` is a column of an enclosing row: only facts later than its value count. A goal is judged so.
    `messages` is the outbox, or the one that a forecast imagines.
    `first_ids` are those under which the store knows campaigns and steps, by what they are called now.
    """

    now: datetime
    catalogue: Catalogue = field(default_factory=Catalogue)
    segments: Mapping[str, "Rule"] = field(default_factory=dict)
    dialect: str = "sqlite"
    one_by_one: bool = False
    person: Column[int] = customers.c.customer_id
    after: Column[Any] | None = None
    minor_units: int = 100
    messages: Table = messages
    since: datetime | None = None
    hand: Hand | None = None
    first_ids: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    def first_id(self, campaign: str, *step: str) -> str:
        """Of a campaign, or of a step of it."""
        return self.first_ids.get((campaign, *step), (campaign, *step)[-1])

    def among(self, who: CustomerIds | Sets) -> ColumnElement[bool]:
        """Whether the customer is among those selected."""
        if isinstance(who, Select):
            who = who.correlate(self.person.table, *self.outer)
        return among(self.dialect, self.person, who, one_by_one=self.one_by_one)

    @property
    def outer(self) -> tuple[FromClause, ...]:
        """The enclosing rows that a condition may look at."""
        return () if self.after is None else (self.after.table,)

    def moment(self, shift: timedelta = timedelta(0)) -> ColumnElement[Any]:
        """SQL: the instant asked about, or one so much later or earlier."""
        return self._bound(lambda hand: hand.now + shift)

    def passed(self, at: ColumnElement[Any], shift: timedelta = timedelta(0)) -> ColumnElement[bool]:
        """SQL: between the last look and now the clock, or a clock so much ahead of it, passed that time."""
        return at.between(
            self._bound(lambda hand: min(hand.since, hand.now) + shift),
            self._bound(lambda hand: max(hand.since, hand.now) + shift),
        )

    def _bound(self, tell: Callable[["Hand"], datetime]) -> ColumnElement[Any]:
        """A parameter: what it is now, or where the hand is to move on, what it will be when it is asked."""
        if self.hand is None:
            return literal(tell(Hand(self.now, self.since or self.now)), Instant)
        return bindparam(None, callable_=partial(tell, self.hand), type_=MovingInstant)

    def at(self, now: datetime) -> "Scope":
        return replace(self, now=now)

    def looked_at(self, since: datetime) -> "Scope":
        """The same, with the instant of the last look."""
        return replace(self, since=since)

    def each(self) -> "Scope":
        """The same for a few candidates, looked up one by one."""
        return replace(self, one_by_one=True)

    def of_each(self, person: Column[int]) -> "Scope":
        """The same for those in that column, with no need to read who they are."""
        return replace(self, one_by_one=True, person=person)

    def later_than(self, after: Column[Any]) -> "Scope":
        """The same, counting only facts after an instant that stands in an enclosing row."""
        return replace(self, one_by_one=True, after=after)


class Complaint(NamedTuple):
    """Something a rule says that does not fit this project: the word, what is wrong, a hint."""

    word: str
    message: str
    hint: str | None = None


class Rule(ABC):
    """Anything that holds for a customer at an instant, or does not."""

    @abstractmethod
    def test(self, scope: Scope) -> ColumnElement[bool]:
        """SQL that is true for the row of `customers` it holds for."""

    @abstractmethod
    def sentence(self, scope: Scope) -> str:
        """What it asks, in words."""

    @abstractmethod
    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        """Customers whose answer may differ since the scope's last look though no fact was written."""

    @abstractmethod
    def implies(self, other: "Condition", scope: Scope) -> bool:
        """Whether it can hold only where `other` holds too. False where that is not certain."""

    def follows_from(self, known: "Rule", scope: Scope) -> bool:
        """Whether it holds wherever that single question, or that with `not`, does: see `proving`."""
        return self == known

    def holders(self, scope: Scope) -> CustomerIds | None:
        """The people it holds for as one select over their facts; None where it is not one."""
        return None

    def parts(self, scope: Scope) -> Sequence["Rule"]:
        """The rules it is made of."""
        return ()

    def reach(self, scope: Scope) -> timedelta | None:
        """How long a span its facts must lie in, where it holds only for people with such facts."""
        return None


class Condition(BaseModel, Rule, ABC):
    """A leaf: one question about one kind of fact. Its fields are the words a file may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str]
    summary: ClassVar[str]

    def complaints(self, catalogue: Catalogue, segments: Sequence[str]) -> Iterator[Complaint]:
        """What does not fit the catalogue and the segments of the project."""
        return iter(())

    def campaign_complaints(self, campaigns: StepNames) -> Iterator[Complaint]:
        """What does not fit the campaigns of the project."""
        return iter(())

    def follows_from(self, known: Rule, scope: Scope) -> bool:
        return self == known or known.implies(self, scope)

    def lasting(self) -> Rule | None:
        """What is sure to hold later, too, for whomever it holds for now, unless facts are taken back."""
        return None

    @abstractmethod
    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        """One row: what the condition looks at, as it is for one customer.

        For a column in their place it becomes a part of a statement about many. A subquery that it is
        read from must then look out of it: see `looking_at`.
        """

    @abstractmethod
    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        """That row in words."""


def looking_at(customer_id: Customer, rows: Rows) -> Rows:
    """The rows of that customer, where they are to be read from like a table."""
    if isinstance(customer_id, int):
        return rows
    return rows.correlate(*customer_id._from_objects)  # noqa: SLF001 - a column's own table


@dataclass(frozen=True)
class All(Rule):
    """Every part holds."""

    rules: tuple[Rule, ...]

    def test(self, scope: Scope) -> ColumnElement[bool]:
        first = self._narrowest(scope)
        if first is None:
            return self._of_sets(scope)
        rest = scope.each()
        return and_(*(rule.test(scope if rule is first else rest) for rule in self.rules))

    def _of_sets(self, scope: Scope) -> ColumnElement[bool]:
        """The holders of one part, less those of the parts that it must not be: one set, not several."""
        held = None if scope.one_by_one else next(filter(None, (_held(r, scope) for r in self.rules)), None)
        barred = [] if held is None else [b for b in (_barred(r, scope) for r in self.rules) if b]
        if held is None or not barred:
            return and_(true(), *(rule.test(scope) for rule in self.rules))
        left = except_(held.people, *(b.people for b in barred))
        rest = [rule for rule in self.rules if rule not in (held.rule, *(b.rule for b in barred))]
        return and_(scope.among(left), *(rule.test(scope) for rule in rest))

    def _narrowest(self, scope: Scope) -> Rule | None:
        """The part with the narrowest span of time: for the others, its people are best looked up each."""
        reaches = [(reach, n) for n, reach in enumerate(self._reaches(scope)) if reach is not None]
        return self.rules[min(reaches)[1]] if reaches else None

    def _reaches(self, scope: Scope) -> list[timedelta | None]:
        return [rule.reach(scope) for rule in self.rules]

    def reach(self, scope: Scope) -> timedelta | None:
        return min((reach for reach in self._reaches(scope) if reach is not None), default=None)

    def sentence(self, scope: Scope) -> str:
        return "all of these hold" if self.rules else "everybody"

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return _all_crossings(self.rules, scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return any(rule.implies(other, scope) for rule in self.rules)

    def parts(self, scope: Scope) -> Sequence[Rule]:
        return self.rules


@dataclass(frozen=True)
class AnyOf(Rule):
    """At least one part holds."""

    rules: tuple[Rule, ...]

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return or_(false(), *(rule.test(scope) for rule in self.rules))

    def sentence(self, scope: Scope) -> str:
        return "at least one of these holds" if self.rules else "nobody"

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return _all_crossings(self.rules, scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return bool(self.rules) and all(rule.implies(other, scope) for rule in self.rules)

    def parts(self, scope: Scope) -> Sequence[Rule]:
        return self.rules


@dataclass(frozen=True)
class Not(Rule):
    """The part does not hold."""

    rule: Rule

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return not_(self.rule.test(scope))

    def sentence(self, scope: Scope) -> str:
        return "this does not hold"

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return self.rule.crossings(scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return False

    def follows_from(self, known: Rule, scope: Scope) -> bool:
        return self == known or (isinstance(known, Not) and known.rule.follows_from(self.rule, scope))

    def parts(self, scope: Scope) -> Sequence[Rule]:
        return (self.rule,)


class _Part(NamedTuple):
    """A part of `All`, and the people that it adds or takes away."""

    rule: Rule
    people: CustomerIds


def _held(rule: Rule, scope: Scope) -> _Part | None:
    people = rule.holders(scope)
    return None if people is None else _Part(rule, people)


def _barred(rule: Rule, scope: Scope) -> _Part | None:
    people = rule.rule.holders(scope) if isinstance(rule, Not) else None
    return None if people is None else _Part(rule, people)


def _all_crossings(rules: Sequence[Rule], scope: Scope) -> list[CustomerIds]:
    return [who for rule in rules for who in rule.crossings(scope)]
