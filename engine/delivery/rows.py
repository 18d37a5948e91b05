"""One attempt at one mail, and updates of single rows of the outbox that hold only while nothing changed.

Many rows are written by one statement that is executed once for each, always in the order of their
keys: two owners at work on the same rows then never wait for each other in a circle.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Update, bindparam, update

from engine.delivery.states import Status
from engine.planning.keys import MailKey
from engine.store.repeated import repeat
from engine.store.tables import messages

KEYS = (messages.c.customer_id, messages.c.campaign_id, messages.c.step_id, messages.c.spell)


class Attempt(NamedTuple):
    """One attempt at one mail; the first has the number 1, and 0 stands for none so far."""

    key: MailKey
    planned_at: datetime
    number: int


Changes = Mapping[Attempt, dict[str, Any]]

_KEY_NAMES = tuple(f"key_{column.name}" for column in KEYS)
ATTEMPT = (*KEYS, messages.c.planned_at, messages.c.attempt)
NUMBER = bindparam("number", type_=messages.c.attempt.type)


def attempts(rows: Iterable[Any]) -> list[Attempt]:
    """Rows of the columns ATTEMPT, each as one."""
    return [Attempt(MailKey(*row[:4]), *row[4:]) for row in rows]


def stands(status: Status) -> ColumnElement[bool]:
    """SQL: the mail is in that state."""
    return messages.c.status == status.value


def change_row(*conditions: ColumnElement[bool]) -> Update:
    """An UPDATE of the row of one attempt, where it is the last one and the conditions hold."""
    key = [
        column == bindparam(name, type_=column.type) for name, column in zip(_KEY_NAMES, KEYS, strict=True)
    ]
    return update(messages).where(*key, messages.c.attempt == NUMBER, *conditions)


def apply(connection: Connection, change: Update, changes: Changes) -> int:
    """Execute it for each attempt with its values; returns how many rows it changed."""
    rows = [_bound(attempt) | changes[attempt] for attempt in sorted(changes)]
    return repeat(connection, change, rows)


def _bound(attempt: Attempt) -> dict[str, Any]:
    return {**dict(zip(_KEY_NAMES, attempt.key, strict=True)), "number": attempt.number}
