"""What is known of the customers of a batch, as templates see it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from engine.rendering.context import CustomerCard
from engine.rendering.mail import one_line
from engine.store.tables import attributes, customers

_COLUMNS = ("email", "first_name", "last_name", "country", "locale", "timezone")


def customer_cards(
    connection: Connection, ids: Sequence[int], names: Collection[str], now: datetime
) -> Mapping[int, CustomerCard]:
    """By id, with the values that those of their attributes have at `now`. Each value is one line."""
    theirs = _attributes(connection, ids, names, now) if names else {}
    columns = [customers.c[name] for name in _COLUMNS]
    rows = select(customers.c.customer_id, *columns).where(customers.c.customer_id.in_(ids))
    return {row[0]: _card(row[1:], theirs.get(row[0], {})) for row in connection.execute(rows).all()}


def _card(values: Sequence[Any], theirs: Mapping[str, str]) -> CustomerCard:
    known = {name: one_line(value or "") for name, value in zip(_COLUMNS, values, strict=True)}
    return CustomerCard(**known, _attributes=theirs)


def _attributes(
    connection: Connection, ids: Sequence[int], names: Collection[str], now: datetime
) -> Mapping[int, Mapping[str, str]]:
    column = attributes.c
    rows = (
        select(column.customer_id, column.name, column.value)
        .where(column.customer_id.in_(ids), column.name.in_(sorted(names)), column.at <= now)
        .order_by(column.customer_id, column.name, column.at)
    )
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for customer, name, value in connection.execute(rows):
        found[customer][name] = one_line(value)
    return found
