"""Parts of an event that may be anything: a value where it is one of that shape, else an empty one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from engine.clock import EPOCH
from engine.facts.receiving.saying import Fields, NotUnderstood
from engine.facts.values.words import currency as known_currency

LAST_SECOND = 7_258_118_400  # the year 2200


def text(value: Any) -> str:
    """A word or a number as a file would have it; yes or no for a truth; '' for all else."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}" if abs(value) < 1e18 else ""
    return str(value).strip() if isinstance(value, str | int) else ""


def part(value: Any, *path: str) -> Mapping[str, Any]:
    """What stands at the end of the path, where that is an object."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def first(value: Mapping[str, Any], *names: str) -> str:
    """The first of these that says something, as text."""
    return next(filter(None, (text(value.get(name)) for name in names)), "")


def needed(value: Mapping[str, Any], name: str) -> str:
    """What must be said, as text. Raises NotUnderstood where it is not."""
    found = first(value, name)
    if not found:
        msg = f"{name} is missing"
        raise NotUnderstood(msg)
    return found


def scalars(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The plain values of an object, by name."""
    return ((name, said) for name, each in value.items() if (said := text(each)))


def filled(fields: Fields) -> Fields:
    """Without what says nothing."""
    return {name: value for name, value in fields.items() if value}


def moment(value: Any) -> datetime | None:
    """An instant with its zone, written as ISO 8601; None where there is none."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def seconds(value: Any) -> datetime | None:
    """An instant in seconds since 1970."""
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LAST_SECOND
    return EPOCH + timedelta(seconds=value) if sound else None


def written(at: datetime | None) -> str:
    """An instant as columns have it."""
    return at.isoformat() if at else ""


def required(at: datetime | None, name: str) -> str:
    """The same. Raises NotUnderstood where there is none."""
    if at is None:
        msg = f"{name} is no instant with a time zone"
        raise NotUnderstood(msg)
    return at.isoformat()


def major(minor: Any, currency: str, digits: int | None = None) -> str:
    """An amount in minor units of the currency as one in major units. Raises Refused for no currency.

    `digits`: how many the teller's minor units have, where they are not those that the currency has by now.
    """
    if not isinstance(minor, int) or isinstance(minor, bool):
        return ""
    ours = get_currency_precision(known_currency(currency))
    amount = Decimal(minor).scaleb(-(ours if digits is None else digits))
    return f"{round(amount, ours) if digits is not None and digits > ours else amount:f}"
