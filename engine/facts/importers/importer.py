"""What a kind of file is: its columns, how a row is made of their values, and how rows land."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from engine.facts.columns import Column, Money, plain
from engine.facts.examples import Examples
from engine.facts.identity import NAMES, Named
from engine.facts.model import Place
from engine.facts.refusal import Refused
from engine.facts.shelf import Shelf
from engine.facts.values.addresses import address
from engine.facts.values.words import text
from engine.store.ids import IdFactory

R = TypeVar("R", bound=Any)
PERSON = (Column("email", plain(address)), *(Column(name, plain(text(200))) for name in NAMES[1:]))


class Landing(NamedTuple):
    """What the landing of a chunk needs to know beside its rows."""

    now: datetime
    ids: IdFactory
    window: int  # of a transaction, in microseconds
    money: Money  # the shop's
    zone: ZoneInfo  # in which the shop's days begin
    shelf: Shelf  # the catalogue, and where it is written
    spoiled: Container[str] = ()  # orders with a row that was rejected: they replace no stored one


@dataclass
class Outcome:
    """What became of the rows of a chunk."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[Place, Refused]] = field(default_factory=list)
    shortened: Examples = field(default_factory=Examples)  # orders that came again without some lines
    overdrawn: Examples = field(default_factory=Examples)  # refunds that count for nothing any more
    moved: Examples = field(default_factory=Examples)  # facts that came with another customer than before
    merges: Examples = field(default_factory=Examples)  # anonymous customers who are known ones
    conflicts: Examples = field(default_factory=Examples)  # names of two customers
    differing: Examples = field(default_factory=Examples)  # products of which the catalogue says otherwise

    def count(self, before: Any | None, after: Any, rows: int = 1) -> None:
        """Count the rows that turned one fact from what it was, None where it was not known."""
        if before is None:
            self.inserted += rows
        elif before == after:
            self.unchanged += rows
        else:
            self.updated += rows

    def add(self, other: "Outcome") -> None:
        """Count what became of another chunk as well; its refusals are told elsewhere."""
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.shortened.add(other.shortened)
        self.overdrawn.add(other.overdrawn)
        self.moved.add(other.moved)
        self.merges.add(other.merges)
        self.conflicts.add(other.conflicts)
        self.differing.add(other.differing)

    def refuse(self, places: Iterable[Place], refused: Refused) -> None:
        self.refused += [(place, refused) for place in places]


@dataclass(frozen=True)
class Importer(Generic[R]):
    """One kind of file.

    `row` makes a row of the values of the columns (for customers with attribute pairs after them), its
    place, and whether the map calls it a credit; it raises Refused where the values contradict each other.
    `either` are columns of which a file must have at least one.
    """

    kind: str
    columns: tuple[Column, ...]
    row: Callable[[Sequence[Any], Place, bool], R]
    restore: Callable[[Iterable[Any]], R]
    land: Callable[[Connection, Sequence[R], Landing], Outcome]
    either: tuple[tuple[str, ...], ...] = ((*NAMES,),)
    who: Callable[[R], Sequence[str]] = attrgetter(*NAMES)
    bundle: Callable[[R], str] | None = None  # what rows must have in common to land together
    sku: Callable[[R], str] | None = None
    attributes: bool = False
    credits: bool = False

    @property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """The columns a file must have; of each group one is enough."""
        return (*((column.name,) for column in self.columns if column.required), *self.either)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


class Nobody(Refused):
    """A row that names nobody."""

    def __init__(self) -> None:
        super().__init__("names no customer: email, shop_id and anonymous_id are blank")


def refuse_nobody(said: Named) -> None:
    """Somebody must be named. Raises Nobody."""
    if not (said.email or said.shop_id or said.anonymous_id):
        raise Nobody
