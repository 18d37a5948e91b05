"""One person: every id and name they ever had here, and whether what others told speaks of them."""

import json
from contextlib import suppress
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import ColumnElement, Connection, false, func, or_, select

from engine.app.project import Project
from engine.delivery.transports.sendgrid.payload import CUSTOMER
from engine.errors import UnknownCustomer
from engine.facts.lookup import find_customer
from engine.facts.tombstones import Graveyard, Name
from engine.store.tables import customer_aliases, customers, identities, messages

NAMED_BY = ("userId", "anonymousId", "previousId", "customer", "name")  # in what is told of facts
CUSTOMER_ID = "customer_id"  # in what mail servers reported


@dataclass(frozen=True)
class Person:
    """Somebody: every id and every name they ever had here."""

    ids: tuple[int, ...]
    names: tuple[Name, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(value for kind, value in self.names if kind == "email")


def known(project: Project, named: str) -> Person | None:
    """Whom the name means; None where they were erased before. Raises UnknownCustomer."""
    with project.store.reading() as connection:
        try:
            customer_id = find_customer(connection, named)
        except UnknownCustomer:
            text = named.strip()
            tried = [("email", text.lower()), ("shop_id", text), ("anonymous_id", text)]
            if Graveyard(project.settings).has(connection, tried):
                return None
            raise
        return _person(connection, customer_id)


def tells_of(person: Person, words: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether what was told speaks of them: by an address in any spelling, a name, or the id on our mails."""
    written = [each for kind, value in person.names if kind == "email" for each in _spellings(value)]
    addresses = [_inside(each) for each in written]
    names = [_inside(value) for kind, value in person.names if kind != "email"]
    named = [f'"{key}": "{each.rpartition(":")[2]}"' for each in names for key in NAMED_BY]
    named += [f'], "{each}"]' for each in names]  # as dossiers have it
    named += [f'"{CUSTOMER_ID}": {number}{end}' for number in person.ids for end in ",}"]
    named += [f'"{CUSTOMER}": "{number}"' for number in person.ids]
    said = func.lower(words)
    return or_(false(), *(said.contains(each.lower(), autoescape=True) for each in (*addresses, *named)))


def _spellings(address: str) -> set[str]:
    """The address as we write it, and with its domain in ASCII, as mail servers tell of it."""
    local, _, _ = address.rpartition("@")
    with suppress(EmailNotValidError):
        found = validate_email(address, check_deliverability=False, test_environment=True)
        return {address, f"{local}@{found.ascii_domain}"}
    return {address}


def _inside(value: str) -> str:
    """As it stands in JSON, between its quotes."""
    return json.dumps(value)[1:-1]


def _person(connection: Connection, customer_id: int) -> Person:
    merged = select(customer_aliases.c.customer_id).where(customer_aliases.c.merged_into == customer_id)
    ids = (customer_id, *sorted(connection.scalars(merged)))
    named = select(identities.c.kind, identities.c.value).where(identities.c.customer_id.in_(ids))
    names: set[Name] = {(kind, value) for kind, value in connection.execute(named)}
    current = select(customers.c.email, customers.c.shop_id).where(customers.c.customer_id.in_(ids))
    for email, shop_id in connection.execute(current):
        names |= {("email", email)} if email else set()
        names |= {("shop_id", shop_id)} if shop_id else set()
    used = select(messages.c.address).where(messages.c.customer_id.in_(ids), messages.c.address.is_not(None))
    names |= {("email", address) for address in connection.scalars(used)}
    return Person(ids, tuple(sorted(names)))
