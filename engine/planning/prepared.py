"""The statements that every plan asks alike, made once for a book and the tables of a state."""

from dataclasses import dataclass
from datetime import datetime

from engine.audience.questions import Questions
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.early import EarlyGoals, early_goals
from engine.planning.state import State


@dataclass(frozen=True)
class Prepared:
    """What the audiences ask, and what finds the runs that reached their goal early."""

    questions: Questions
    goals: EarlyGoals

    def at(self, now: datetime) -> None:
        """From here on the statements ask about this instant."""
        self.questions.ask_at(now, now)


def prepared(book: Book, desk: Desk, state: State, dialect: str) -> Prepared:
    """Those of the book, made at the first plan and kept with it."""
    key = f"{dialect} {state.messages.name}"
    if key not in book.kept:
        book.kept[key] = _prepare(book, desk, state, dialect)
    found = book.kept[key]
    assert isinstance(found, Prepared)  # noqa: S101 - nothing else is kept there
    return found


def _prepare(book: Book, desk: Desk, state: State, dialect: str) -> Prepared:
    asked = Questions(book.campaigns, book.moving_scope(dialect, state.messages), state.enrollments)
    goals = early_goals(desk, state, book.campaigns, asked.scope)
    return Prepared(asked, goals)
