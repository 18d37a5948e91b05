"""Who is meant: which customer an address or shop id belongs to, for all rows of a chunk at once.

- An address belongs to one customer, and so does a shop id.
- A row that names an address of one customer and the shop id of another is refused: two known people
  never become one by themselves. So is a known address beside another shop id than its own.
- A new address beside a known shop id is one more address that leads to that customer. The address
  they are written to is changed by a customers file only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, select, type_coerce, update

from engine.clock import to_micros
from engine.facts.batches import batched
from engine.facts.bulk import Values, insert_plain
from engine.facts.refusal import Refused
from engine.store.ids import IdFactory
from engine.store.tables import contact_state, customers, identities

LOTS = 2**31 - 1  # a prime, so that a share of the lots is a share of the people
PROPERTIES = ("first_name", "last_name", "country", "locale", "timezone")


def lot_of(customer_id: int) -> int:
    """The customer's fixed random number, from 0 up to LOTS."""
    return int(sha256(str(customer_id).encode()).hexdigest(), 16) % LOTS


@dataclass(slots=True)
class Person:
    """A customer as the chunk leaves them."""

    id: int
    email: str | None
    shop_id: str | None
    known_at: int
    properties: dict[str, str]
    new: bool = False
    changed: bool = False

    def known_from(self, at: int) -> None:
        """They did something at that time, so they were known then."""
        if at < self.known_at:
            self.known_at = at
            self.changed = True

    def write_to(self, email: str) -> None:
        if email != self.email:
            self.email = email
            self.changed = True

    def set_property(self, name: str, value: str) -> None:
        if self.properties[name] != value:
            self.properties[name] = value
            self.changed = True


class People:
    """The customers whom the rows of a chunk speak of: those known, and those met now."""

    def __init__(self, names: Iterable[tuple[str, str]], ids: IdFactory) -> None:
        """`names` are the address and the shop id of each row, '' where it names none."""
        pairs = list(names)
        self._asked = {
            "email": {email for email, _ in pairs if email},
            "shop_id": {shop_id for _, shop_id in pairs if shop_id},
        }
        self._ids = ids
        self._known: dict[tuple[str, str], int] = {}
        self._people: dict[int, Person] = {}
        self._learned: dict[tuple[str, str], int] = {}

    def load(self, connection: Connection) -> None:
        """Read everybody who is known already, and hold them until the transaction ends.

        Another importer that means the same people waits, and then sees what this one wrote.
        """
        for kind, values in self._asked.items():
            for named in batched(sorted(values)):
                found = select(identities.c.value, identities.c.customer_id)
                found = found.where(identities.c.kind == kind, identities.c.value.in_(named))
                self._known.update({(kind, value): owner for value, owner in connection.execute(found)})
        lock_customers(connection, self._known.values())
        for ids in batched(sorted(set(self._known.values()))):
            self._people.update(_read_people(connection, ids))

    def stored(self) -> list[int]:
        """The ids of those who were known before this chunk."""
        return [person.id for person in self._people.values() if not person.new]

    def find(self, email: str, shop_id: str, at: int) -> Person:
        """The customer of a row that happened at `at`, met now if nobody knew them. Raises Refused."""
        by_email, by_shop = self._known.get(("email", email)), self._known.get(("shop_id", shop_id))
        if by_email is not None and by_shop is not None and by_email != by_shop:
            msg = "email and shop_id belong to two different customers"
            raise Refused(msg, f"{email} and {shop_id}")
        found = by_shop if by_email is None else by_email
        if found is None:
            return self._meet(email, shop_id, at)
        person = self._people[found]
        if shop_id and by_shop is None:
            self._take_shop_id(person, shop_id)
        if email and by_email is None:
            self._take_email(person, email)
        person.known_from(at)
        return person

    def write(self, connection: Connection, now: datetime) -> set[int]:
        """Store those met and those changed, and say whom.

        In order of their ids, so that no two importers wait for each other.
        """
        met = sorted(filter(lambda person: person.new, self._people.values()), key=_id)
        micros = to_micros(now)
        insert_plain(
            connection, identities, [(*name, owner) for name, owner in sorted(self._learned.items())]
        )
        insert_plain(connection, customers, [_row(person, micros) for person in met])
        insert_plain(connection, contact_state, [(person.id, None) for person in met])
        changed = sorted((p for p in self._people.values() if p.changed and not p.new), key=_id)
        if changed:
            connection.execute(_CHANGE, [_change(person, micros) for person in changed])
        return {person.id for person in (*met, *changed)}

    def _meet(self, email: str, shop_id: str, at: int) -> Person:
        person = Person(
            self._ids.next(), email or None, shop_id or None, at, dict.fromkeys(PROPERTIES, ""), new=True
        )
        self._people[person.id] = person
        for kind, value in (("email", email), ("shop_id", shop_id)):
            if value:
                self._learn(kind, value, person)
        return person

    def _take_shop_id(self, person: Person, shop_id: str) -> None:
        if person.shop_id is not None:
            msg = "email belongs to a customer with another shop_id"
            raise Refused(msg, f"{person.shop_id}, not {shop_id}")
        person.shop_id = shop_id
        person.changed = True
        self._learn("shop_id", shop_id, person)

    def _take_email(self, person: Person, email: str) -> None:
        if person.email is None:
            person.write_to(email)
        self._learn("email", email, person)

    def _learn(self, kind: str, value: str, person: Person) -> None:
        self._known[kind, value] = self._learned[kind, value] = person.id


def lock_customers(connection: Connection, customer_ids: Iterable[int]) -> None:
    """Let nobody else count or change these customers' facts; in order of their ids."""
    table = contact_state.c
    for part in batched(sorted(set(customer_ids))):
        asked = select(table.customer_id).where(table.customer_id.in_(part)).order_by(table.customer_id)
        connection.execute(asked.with_for_update())


def _read_people(connection: Connection, ids: Sequence[int]) -> dict[int, Person]:
    table = customers.c
    known_at = type_coerce(table.known_at, BigInteger)
    properties = (table[name] for name in PROPERTIES)
    asked = select(table.customer_id, table.email, table.shop_id, known_at, *properties)
    rows = connection.execute(asked.where(table.customer_id.in_(ids)))
    return {
        row[0]: Person(row[0], row[1], row[2], row[3], dict(zip(PROPERTIES, row[4:], strict=True)))
        for row in rows
    }


def _id(person: Person) -> int:
    return person.id


def _row(person: Person, now: int) -> Values:
    properties = (person.properties[name] for name in PROPERTIES)
    return (person.id, person.email, person.shop_id, *properties, person.known_at, lot_of(person.id), now)


def _change(person: Person, now: int) -> Mapping[str, Any]:
    return {
        "its_id": person.id,
        "email": person.email,
        "shop_id": person.shop_id,
        "known_at": person.known_at,
        "recorded_at": now,
        **person.properties,
    }


_CHANGE = update(customers).where(customers.c.customer_id == bindparam("its_id"))
