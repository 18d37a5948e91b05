"""Customers: who people are, and what is known of them, with its history."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, select, type_coerce

from engine.clock import to_micros
from engine.facts.batches import batched
from engine.facts.bulk import insert_plain, remove
from engine.facts.columns import Column, plain
from engine.facts.identity import PROPERTIES, People, Person
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome, refuse_nobody
from engine.facts.importers.settling import settle
from engine.facts.model import CustomerRow, Place
from engine.facts.refusal import Refused
from engine.facts.values.words import as_number, locale, text, zone
from engine.store.tables import attributes

COLUMNS = (
    *PERSON,
    Column("first_name", plain(text(200))),
    Column("last_name", plain(text(200))),
    Column("country", plain(text(60))),
    Column("locale", plain(locale)),
    Column("timezone", plain(zone)),
    Column("known_at", lambda manner: manner.instants, blank=None, instant=True),
    Column("updated_at", lambda manner: manner.instants, blank=None, instant=True),
)
Key = tuple[int, str, int]  # customer, name, at
News = tuple[str, int, str]  # name, at, value
_PROPERTIES = tuple(column.name for column in COLUMNS if column.name in PROPERTIES)


class History:
    """The values of one person's attributes, each since its time.

    Of a value that is told again and again the first time is kept, and the last: another value that comes
    late, of a time in between, is not taken for the latest. To keep all times would be a row for each login.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[int, str]]] = {}

    def add(self, name: str, at: int, value: str) -> None:
        values = [each for each in self._values.get(name, []) if each[0] != at]
        self._values[name] = sorted([*values, (at, value)])

    def add_again(self, name: str, at: int) -> None:
        """The value in force at that time is told then."""
        values = self._values[name]
        last, value = values[-1]
        if at > last:
            twice = len(values) > 1 and values[-2][1] == value
            self._values[name] = [*(values[:-1] if twice else values), (at, value)]

    def all(self) -> Iterator[News]:
        return ((name, at, value) for name, values in self._values.items() for at, value in values)

    def at(self, name: str, instant: int) -> str | None:
        """The value in force at an instant, if there was one."""
        values = self._values.get(name, [])
        place = bisect_right(values, instant, key=itemgetter(0))
        return values[place - 1][1] if place else None

    def latest(self, name: str) -> str:
        return self._values[name][-1][1]


def _moment(row: CustomerRow) -> tuple[bool, int, int]:
    """Rows that do not say since when come last, for they say what holds now; of one time, as they stand."""
    return row.updated_at is None, row.updated_at or 0, row.place[0]


def _row(values: Sequence[Any], place: Place, _: bool) -> CustomerRow:  # noqa: FBT001 - no credits here
    email, shop_id, anonymous_id, *properties, known_at, updated_at = values[: len(COLUMNS)]
    said = [(name, value) for name, value in zip(_PROPERTIES, properties, strict=True) if value]
    said += filter(None, values[len(COLUMNS) :])
    row = CustomerRow(email, shop_id, anonymous_id, known_at, updated_at, tuple(said), place)
    refuse_nobody(row)
    return row


def _land(connection: Connection, rows: Sequence[CustomerRow], landing: Landing) -> Outcome:
    people = People(rows, landing.ids)
    people.load(connection)
    now = to_micros(landing.now)
    stored = _stored(connection, people.stored())
    histories = _histories(stored)
    outcome = Outcome()
    changed: set[int] = set()
    for person, theirs in _by_person(people, rows, now, outcome):
        history = histories.setdefault(person.id, History())
        news = _news(person, theirs, history, now)
        _keep_current(person, theirs, history, news)
        _count(outcome, person, len(theirs), changed=person.changed or bool(news))
        changed |= {person.id for _ in news}
    touched = people.write(connection, landing.now)
    _write(connection, stored, histories, now)
    return settle(connection, people, touched | changed, landing, outcome)


def _by_person(
    people: People, rows: Sequence[CustomerRow], now: int, outcome: Outcome
) -> list[tuple[Person, list[CustomerRow]]]:
    """The people whom rows speak of, each with their rows in order of time."""
    found: dict[int, tuple[Person, list[CustomerRow]]] = {}
    for row in rows:
        try:
            person = people.find(row, now if row.known_at is None else row.known_at)
        except Refused as refused:
            outcome.refuse([row.place], refused)
        else:
            found.setdefault(person.id, (person, []))[1].append(row)
    return [(person, sorted(theirs, key=_moment)) for person, theirs in found.values()]


def _news(person: Person, rows: Sequence[CustomerRow], history: History, now: int) -> list[News]:
    """The values that are not yet in force.

    Rows without `updated_at` say what holds now. What was never known before holds since the person
    was known; what was, since now. Of several rows for the same time the last one counts.
    """
    said = {(name, row.updated_at): value for row in rows for name, value in row.attributes}
    news = []
    for (name, at), value in said.items():
        before = history.at(name, now if at is None else at)
        if value != before:
            since = at if at is not None else person.known_at if before is None else now
            history.add(name, since, value)
            news.append((name, since, value))
        elif at is not None:
            history.add_again(name, at)
    return news


def _keep_current(
    person: Person, rows: Sequence[CustomerRow], history: History, news: Sequence[News]
) -> None:
    for name in {name for name, _, _ in news}.intersection(PROPERTIES):
        person.set_property(name, history.latest(name))
    addresses = [row.email for row in rows if row.email and row.shop_id]
    if addresses:
        person.write_to(addresses[-1])


def _count(outcome: Outcome, person: Person, rows: int, *, changed: bool) -> None:
    if person.new:
        outcome.inserted += rows
    elif changed:
        outcome.updated += rows
    else:
        outcome.unchanged += rows


def _stored(connection: Connection, customer_ids: Sequence[int]) -> dict[Key, str]:
    table = attributes.c
    found: dict[Key, str] = {}
    for part in batched(customer_ids):
        asked = select(table.customer_id, table.name, type_coerce(table.at, BigInteger), table.value)
        for customer, name, at, value in connection.execute(asked.where(table.customer_id.in_(part))):
            found[customer, name, at] = value
    return found


def _histories(stored: Mapping[Key, str]) -> dict[int, History]:
    found: dict[int, History] = {}
    for (customer, name, at), value in stored.items():
        found.setdefault(customer, History()).add(name, at, value)
    return found


def _write(
    connection: Connection, stored: Mapping[Key, str], histories: Mapping[int, History], now: int
) -> None:
    kept = {
        (customer, name, at): value
        for customer, history in histories.items()
        for name, at, value in history.all()
    }
    gone = {key for key, value in stored.items() if kept.get(key) != value}
    remove(connection, attributes, ("customer_id", "name", "at"), gone)
    written = {key: value for key, value in kept.items() if stored.get(key) != value}
    rows = [(*key, value, as_number(value), now) for key, value in sorted(written.items())]
    insert_plain(connection, attributes, rows)


CUSTOMERS = Importer(
    "customers",
    COLUMNS,
    _row,
    CustomerRow._make,
    _land,
    bundle=lambda row: row.email or row.shop_id or row.anonymous_id,
    attributes=True,
)
