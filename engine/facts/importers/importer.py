"""What a kind of file is: its columns, how a row is made of their values, and how rows land."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from engine.facts.columns import Column, plain
from engine.facts.model import Order, Place
from engine.facts.refusal import Refused
from engine.facts.values.addresses import address
from engine.facts.values.words import text
from engine.store.ids import IdFactory


class Row(Protocol):
    """What every row has: its place in the file, and how it names its person."""

    @property
    def email(self) -> str: ...
    @property
    def shop_id(self) -> str: ...
    @property
    def place(self) -> Place: ...


R = TypeVar("R", bound=Any)


class Landing(NamedTuple):
    """What the landing of a chunk needs to know beside its rows."""

    now: datetime
    ids: IdFactory
    window: int  # of a transaction, in microseconds
    currency: str
    spoiled: Set[str] = frozenset()  # orders with a row that was rejected: they replace no stored one


@dataclass
class Outcome:
    """What became of the rows of a chunk."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[Place, Refused]] = field(default_factory=list)

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
    either: tuple[tuple[str, ...], ...] = (("email", "shop_id"),)
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


PERSON = (Column("email", plain(address)), Column("shop_id", plain(text(200))))


def refuse_nobody(said: Row | Order) -> None:
    """Somebody must be named. Raises Refused."""
    if not said.email and not said.shop_id:
        msg = "names no customer: email and shop_id are blank"
        raise Refused(msg)
