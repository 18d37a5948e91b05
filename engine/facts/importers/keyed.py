"""Landing for facts that are known by a key: a new key is inserted, a known one changed or left alone."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from engine.clock import to_micros
from engine.facts.batches import batched
from engine.facts.bulk import Values, as_kept, insert_plain, remove
from engine.facts.identity import NAMES, People
from engine.facts.importers.importer import Landing, Outcome
from engine.facts.importers.settling import settle
from engine.facts.refusal import Refused


class Keyed(NamedTuple):
    """A table of facts whose rows say the same in the same order.

    In the table: customer, key, the rest, recorded_at. In a row: who, key, the rest, place.
    """

    table: Table
    key: int  # how many columns the key has beside the customer
    derive: Callable[[Connection, Collection[Values], Landing], None] | None = None  # by the keys written

    def split(self, row: Values) -> tuple[Values, Values]:
        """The key and the rest of a file's row."""
        key = len(NAMES) + self.key
        return row[len(NAMES) : key], row[key:-1]


def land_keyed(connection: Connection, rows: Sequence[Any], landing: Landing, facts: Keyed) -> Outcome:
    """Land the rows of a chunk. What a row leaves blank stays as it was."""
    people = People(rows, landing.ids)
    people.load(connection)
    stored = _stored(connection, people.stored(), facts)
    written: dict[Values, Values] = {}
    outcome = Outcome()
    for row in rows:
        try:
            person = people.find(row, row.at)
        except Refused as refused:
            outcome.refuse([row.place], refused)
            continue
        key, rest = facts.split(row)
        key = (person.id, *key)
        before = written.get(key) or stored.get(key)
        after = _merged(before, rest)
        outcome.count(before, after)
        if before != after:
            written[key] = after
    touched = people.write(connection, landing.now)
    _write(connection, facts, written, stored.keys() & written.keys(), to_micros(landing.now))
    if facts.derive is not None:
        facts.derive(connection, written, landing)
    touched |= {customer for customer, *_ in written}
    return settle(connection, people, touched, landing, outcome)


def _merged(before: Values | None, after: Values) -> Values:
    if before is None:
        return after
    return tuple(old if new in ("", None) else new for old, new in zip(before, after, strict=True))


def _write(
    connection: Connection, facts: Keyed, written: dict[Values, Values], changed: set[Values], now: int
) -> None:
    remove(connection, facts.table, facts.table.columns.keys()[: facts.key + 1], changed)
    insert_plain(connection, facts.table, [(*key, *rest, now) for key, rest in sorted(written.items())])


def _stored(connection: Connection, customer_ids: Sequence[int], facts: Keyed) -> dict[Values, Values]:
    width = facts.key + 1
    columns = [as_kept(column) for column in facts.table.columns][:-1]
    found: dict[Values, Values] = {}
    for part in batched(customer_ids):
        rows = connection.execute(select(*columns).where(facts.table.c.customer_id.in_(part)))
        found.update({tuple(row[:width]): tuple(row[width:]) for row in rows})
    return found
