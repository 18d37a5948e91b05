"""Values that are no text, written as a file of text would write them."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any


def cell(value: Any) -> str:
    """'' for nothing; instants in ISO 8601, numbers without an exponent, lists as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return next((write(value) for kind, write in _WRITERS if isinstance(value, kind)), str(value))


def _number(value: Decimal) -> str:
    return f"{value:f}" if value.is_finite() else str(value)


_WRITERS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (bool, lambda value: str(value).lower()),  # before int, which it is too
    (float, lambda value: _number(Decimal(repr(value)))),
    (Decimal, _number),
    (date, lambda value: value.isoformat()),  # a datetime is one
    (bytes | memoryview, lambda value: bytes(value).decode("utf-8", "backslashreplace")),
    (dict | list, lambda value: json.dumps(value, default=str)),
)
