"""One change for many rows, handed to the driver as they are.

To walk each row through its statement anew costs as much as the change itself. Here the statement is
compiled once, and what a row says is put in its places.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Dialect, Update
from sqlalchemy.engine.default import DefaultDialect

KEPT = 64  # statements
Row = Mapping[str, Any]


def repeat(connection: Connection, change: Update, rows: Sequence[Row]) -> int:
    """Execute it once for each row, which all say the same names; returns how many rows it changed.

    The statement is remembered, so that who makes one keeps it, and makes no new one for each call.
    """
    if not rows:
        return 0
    ready = _ready(change, connection.dialect, tuple(rows[0]))
    return connection.exec_driver_sql(ready.text, [ready.given(row) for row in rows]).rowcount


class _Ready(NamedTuple):
    """The text of a statement, and what makes of a row what the driver is given with it."""

    text: str
    given: Callable[[Row], Any]


@lru_cache(KEPT)
def _ready(change: Update, dialect: Dialect, names: tuple[str, ...]) -> _Ready:
    assert isinstance(dialect, DefaultDialect)  # noqa: S101 - as all are
    compiled = change.compile(dialect=dialect)
    makers = {name: _maker(compiled.binds[name], dialect) for name in names}
    same = {name: _said(bind, dialect) for name, bind in compiled.binds.items() if name not in names}

    def named(row: Row) -> dict[str, Any]:
        return same | {name: make(row[name]) for name, make in makers.items()}

    if not compiled.positional:
        return _Ready(str(compiled), named)
    places = itemgetter(*(compiled.positiontup or ()))
    return _Ready(str(compiled), lambda row: places(named(row)))


def _said(bind: BindParameter[Any], dialect: Dialect) -> Any:
    """What the statement itself says."""
    if bind.required:
        raise KeyError(bind.key)
    return _maker(bind, dialect)(bind.effective_value)


def _maker(bind: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """What the type of a value does to it on the way to the database."""
    return bind.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
