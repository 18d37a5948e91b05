"""Who is meant: which customer an address, shop id or anonymous id belongs to, for a chunk at once.

- An address belongs to one customer, and so do a shop id and an anonymous id.
- A row that names an address of one customer and the shop id of another is refused: two known people
  never become one by themselves. So is a known address beside another shop id than its own.
- Unless each lacks what the row tells: somebody without a shop id and somebody without an address are
  one whose names came apart, and the second is merged into the first.
- A new address beside a known shop id is one more address that leads to that customer. The address
  they are written to is changed by a customers file only.
- An anonymous customer has neither address nor shop id. A row that names one beside a known customer
  merges the first into the second. An anonymous id that is a known customer's already stays theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from sqlalchemy import BigInteger, Connection, bindparam, select, type_coerce, update

from engine.clock import to_micros
from engine.errors import StoreClash
from engine.facts.batches import batched
from engine.facts.bulk import Values, insert_plain
from engine.facts.examples import Examples
from engine.facts.refusal import Refused
from engine.store.ids import IdFactory
from engine.store.tables import contact_state, customers, identities

LOTS = 2**31 - 1  # a prime, so that a share of the lots is a share of the people
NAMES = ("email", "shop_id", "anonymous_id")
PROPERTIES = ("first_name", "last_name", "country", "locale", "timezone")


def lot_of(customer_id: int) -> int:
    """The customer's fixed random number, from 0 up to LOTS."""
    return int(sha256(str(customer_id).encode()).hexdigest(), 16) % LOTS


class Named(Protocol):
    """Whatever names its person: '' where it does not in that way."""

    @property
    def email(self) -> str: ...
    @property
    def shop_id(self) -> str: ...
    @property
    def anonymous_id(self) -> str: ...


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

    @property
    def anonymous(self) -> bool:
        return self.email is None and self.shop_id is None

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

    def __init__(self, rows: Iterable[Named], ids: IdFactory) -> None:
        said = [(row.email, row.shop_id, row.anonymous_id) for row in rows]
        self._asked = {
            kind: {name for name in names if name}
            for kind, names in zip(NAMES, zip(*said, strict=True), strict=True)
        } if said else {}  # fmt: skip
        self._ids = ids
        self._known: dict[tuple[str, str], int] = {}
        self._people: dict[int, Person] = {}
        self._learned: dict[tuple[str, str], int] = {}
        self._became: dict[int, int] = {}  # those who turned out to be somebody else, and whom
        self.merges = Examples()
        self.conflicts = Examples()

    def load(self, connection: Connection) -> None:
        """Read everybody who is known already, and hold them until the transaction ends.

        Another importer that means the same people waits, and then sees what this one wrote. Raises
        StoreClash where one changed who is meant before they were held: then all is read anew.
        """
        for kind, values in self._asked.items():
            for named in batched(sorted(values)):
                found = select(identities.c.value, identities.c.customer_id)
                found = found.where(identities.c.kind == kind, identities.c.value.in_(named))
                self._known.update({(kind, value): owner for value, owner in connection.execute(found)})
        lock_customers(connection, self._known.values())
        for ids in batched(sorted(set(self._known.values()))):
            self._people.update(_read_people(connection, ids))
        if self._people.keys() != set(self._known.values()) or not self._held_names <= self._known.keys():
            msg = "another process changed who is meant at the same time"
            raise StoreClash(msg, hint="try again")

    @property
    def _held_names(self) -> set[tuple[str, str]]:
        """Of the names that were asked for those that the people have by now."""
        names = (
            (kind, name)
            for person in self._people.values()
            for kind, name in (("email", person.email), ("shop_id", person.shop_id))
        )
        return {(kind, name) for kind, name in names if name and name in self._asked[kind]}

    def stored(self) -> list[int]:
        """The ids of those who were known before this chunk."""
        return [person.id for person in self._people.values() if not person.new]

    def met(self) -> set[int]:
        """The ids of those of whom nothing is stored yet."""
        return {person.id for person in self._people.values() if person.new}

    def known(self, row: Named) -> set[int]:
        """The ids of those whom the row names, as far as they are known. Nobody is met."""
        names = zip(NAMES, (row.email, row.shop_id, row.anonymous_id), strict=True)
        return {person.id for person in (self._owner(*name) for name in names) if person}

    @property
    def merged(self) -> dict[int, int]:
        """Those who turned out to be somebody else, and who they are now."""
        return {gone: self._now(into) for gone, into in self._became.items()}

    def find(self, row: Named, at: int) -> Person:
        """The customer of a row that happened at `at`, met now if nobody knew them. Raises Refused."""
        person = self._by_names(row, at)
        if row.anonymous_id:
            self._unite(row.anonymous_id, person)
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

    def _owner(self, kind: str, value: str) -> Person | None:
        found = self._known.get((kind, value))
        return None if found is None else self._people[self._now(found)]

    def _now(self, customer_id: int) -> int:
        """Who that customer is by now; an anonymous one may have become a known one twice."""
        while customer_id in self._became:
            customer_id = self._became[customer_id]
        return customer_id

    def _by_names(self, row: Named, at: int) -> Person:
        by_email, by_shop = self._owner("email", row.email), self._owner("shop_id", row.shop_id)
        if by_email and by_shop and by_email is not by_shop:
            self._make_one(by_email, by_shop, row)
        person = by_email or by_shop or self._anonymous(row) or self._meet(at)
        if row.shop_id and by_shop is None:
            self._take_shop_id(person, row.shop_id)
        if row.email and by_email is None:
            self._take_email(person, row.email)
        return person

    def _anonymous(self, row: Named) -> Person | None:
        """The customer behind an anonymous id, where the row names nobody else, or they are nobody else."""
        person = self._owner("anonymous_id", row.anonymous_id)
        alone = not row.email and not row.shop_id
        return person if person is not None and (alone or person.anonymous) else None

    def _meet(self, at: int) -> Person:
        person = Person(self._ids.next(), None, None, at, dict.fromkeys(PROPERTIES, ""), new=True)
        self._people[person.id] = person
        return person

    def _make_one(self, by_email: Person, by_shop: Person, row: Named) -> None:
        """Of two whom one row names: each has what the other lacks, or they are two. Raises Refused."""
        if by_email.shop_id is not None or by_shop.email is not None:
            raise self._conflict(
                "email and shop_id belong to two different customers", f"{row.email} and {row.shop_id}"
            )
        self._merge(by_shop, by_email, f"shop_id {by_shop.shop_id}")
        by_email.shop_id = by_shop.shop_id
        by_email.changed = True

    def _unite(self, anonymous_id: str, person: Person) -> None:
        """From now on the anonymous id leads to the person, unless it is another known one's."""
        owner = self._owner("anonymous_id", anonymous_id)
        if owner is None:
            self._learn("anonymous_id", anonymous_id, person)
        elif owner is person:
            return
        elif owner.anonymous:
            self._merge(owner, person, f"anonymous_id {anonymous_id}")
        else:
            self.conflicts.tell(
                f"anonymous_id {anonymous_id} is not {_told(person)}'s, but another customer's"
            )

    def _merge(self, owner: Person, person: Person, named: str) -> None:
        self._became[owner.id] = person.id
        person.known_from(owner.known_at)
        self.merges.tell(f"{named} into {_told(person)}")

    def _take_shop_id(self, person: Person, shop_id: str) -> None:
        if person.shop_id is not None:
            msg = "email belongs to a customer with another shop_id"
            raise self._conflict(msg, f"{person.shop_id}, not {shop_id}")
        person.shop_id = shop_id
        person.changed = True
        self._learn("shop_id", shop_id, person)

    def _take_email(self, person: Person, email: str) -> None:
        if person.email is None:
            person.write_to(email)
        self._learn("email", email, person)

    def _learn(self, kind: str, value: str, person: Person) -> None:
        self._known[kind, value] = self._learned[kind, value] = person.id

    def _conflict(self, reason: str, shown: str) -> Refused:
        self.conflicts.tell(f"{reason}: {shown}")
        return Refused(reason, shown)


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


def _told(person: Person) -> str:
    return str(person.email or person.shop_id)


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
