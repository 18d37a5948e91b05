"""What a policy is."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope


@dataclass(frozen=True)
class Policy:
    """One thing that may stand against a mail. `catches` is SQL over the rows of `desk.runs`."""

    reason: Reason
    verdict: Verdict
    catches: Callable[[Desk, Book, Scope], ColumnElement[bool]]
