"""Column types that every table shares: one for instants, one for keys of one column."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer
from sqlalchemy.types import TypeDecorator

from engine.clock import from_micros, to_micros

# In SQLite a single INTEGER key is the row's own number: one look-up where a BIGINT takes two.
RowId = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as UTC microseconds in a BIGINT. A naive one is refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: Dialect) -> int | None:
        if value is None or isinstance(value, int):
            return value
        return to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(int(value))

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Compare and add with microseconds as well as with datetimes."""
        return self


class MovingInstant(Instant):
    """An Instant of a parameter that is told only when its statement is executed.

    A type of its own, for SQLAlchemy takes statements for the same that differ in this alone.
    """

    cache_ok = True
