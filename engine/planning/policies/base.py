"""What a policy is: one thing that may stand against a mail."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.reasons import Reason, Verdict
from engine.planning.state import State
from engine.rules.model import Scope
from engine.settings.model import Settings


def _never(_: Desk, __: Book, ___: Scope) -> Sequence[ColumnElement[Any]]:
    return ()


@dataclass(frozen=True)
class Policy:
    """It asks about facts. `catches` is SQL over the rows of `desk.runs`.

    `owed_too` tells whether it stands against transactional mail as well, `back_end_only` that it lets
    front-end mail alone. `until` tells when a hold
    will be over: SQL for instants, of which the latest counts; none where only a new fact can end it.
    """

    reason: Reason
    verdict: Verdict
    catches: Callable[[Desk, Book, Scope], ColumnElement[bool]]
    owed_too: bool = False
    back_end_only: bool = False
    until: Callable[[Desk, Book, Scope], Sequence[ColumnElement[Any]]] = _never


@dataclass(frozen=True)
class Contest:
    """It asks about other runs of the same customer: `hold` holds those that have to wait for one of them."""

    reason: Reason
    hold: Callable[[Connection, Desk, State, Scope], None]


@dataclass(frozen=True)
class Span:
    """At most `most` mails of that track, and perhaps topic, to one customer in any span of `per`."""

    most: int
    per: timedelta
    track: str = "back-end"
    topic: str | None = None
    told: str = ""

    def binds(self, track: str, topic: str) -> bool:
        return self.track == track and self.topic in (None, topic)


@dataclass(frozen=True)
class Limit:
    """It counts mails. Arbitration holds what has no room in one of its spans."""

    reason: Reason
    spans: Callable[[Settings], Iterable[Span]]
