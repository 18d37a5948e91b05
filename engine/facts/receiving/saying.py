"""What an event says, in the words of the columns of files: no rows yet, and nobody's.

All is text, as a file would have it, '' where nothing is said. Instants are ISO 8601 with their zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Fields = Mapping[str, str]  # by the names of the columns of a kind of file
VOID, APART = "void", "apart"  # beside the columns of a refund


class NotUnderstood(Exception):
    """An event that says something, and not in the way it should; the text tells what, and quotes nothing."""


class NotWanted(Exception):
    """An event that says nothing that is kept; the text tells what, and quotes nothing."""


class OfTest(NotWanted):
    """An event that its sender marks as a test."""

    def __init__(self) -> None:
        super().__init__("it is a test, which receiving.test_sales would take as if it were real")


class Fact(NamedTuple):
    """One row of a kind of file."""

    kind: str
    fields: Fields


@dataclass(frozen=True)
class OfOrder:
    """What one event says of an order; of several events the latest counts, column by column.

    `lines` None: nothing is said of them; `guess`: what they are as long as none are told. `refunds` are by
    their own ids, with `at`, `amount` ('' = all that was paid), `sku` and `line_id`; one that is VOID is none
    so far or any more, and one that is APART is no part of `returned`: what went back by refunds in all, by
    then, where each by itself may never be told. `cancelled`: since when all of it is given back that was
    not before; '' = it is not, None = nothing is said of that. `same_as`: the number under which the
    order is told of elsewhere.
    """

    ref: str
    since: str  # since when this holds
    head: Fields = field(default_factory=dict)  # columns that speak of the whole order
    lines: Sequence[Fields] | None = None
    refunds: Mapping[str, Fields] = field(default_factory=dict)
    returned: Fields = field(default_factory=dict)
    cancelled: str | None = None
    guess: Sequence[Fields] | None = None
    same_as: str = ""


Said = Sequence[Fact | OfOrder]
