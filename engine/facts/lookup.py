"""Finding one person by what a human has at hand: an address, a shop id or our own id."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from engine.errors import UnknownCustomer
from engine.facts.values.addresses import as_compared
from engine.store.tables import customer_aliases, customers, identities


def find_customer(connection: Connection, who: str) -> int:
    """The customer's id. Raises UnknownCustomer where nobody, or no one person, answers to it."""
    text = who.strip()
    named = select(identities.c.customer_id).where(
        or_(
            (identities.c.kind == "email") & (identities.c.value == as_compared(text)),
            (identities.c.kind != "email") & (identities.c.value == text),
        )
    )
    found = set(connection.scalars(named)) or _by_id(connection, text)
    if len(found) == 1:
        return found.pop()
    if found:
        msg = f"{who!r} is the address of one customer and the shop id of another"
        raise UnknownCustomer(msg, hint="use the customer's id")
    msg = f"nobody is known as {who!r}"
    raise UnknownCustomer(msg, hint="give the e-mail address, the shop's id, or the customer id as imported")


def _by_id(connection: Connection, text: str) -> set[int]:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        return set()
    number = int(text)
    merged = select(customer_aliases.c.merged_into).where(customer_aliases.c.customer_id == number)
    itself = select(customers.c.customer_id).where(customers.c.customer_id == number)
    return set(connection.scalars(merged)) or set(connection.scalars(itself))


def as_known_now(connection: Connection, customer_id: int) -> int:
    """The id of the customer whom that one was merged into, else their own."""
    merged = select(customer_aliases.c.merged_into).where(customer_aliases.c.customer_id == customer_id)
    return connection.scalar(merged) or customer_id


def customer_row(connection: Connection, customer_id: int) -> Mapping[str, Any]:
    """What is known of the person now, by column of `customers`."""
    row = connection.execute(select(customers).where(customers.c.customer_id == customer_id))
    return dict(row.mappings().one())
