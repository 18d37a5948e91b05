"""Subscriptions: how each of them stood from an instant on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, select, type_coerce

from engine.clock import to_micros
from engine.facts.batches import batched
from engine.facts.bulk import insert_plain, remove
from engine.facts.changes import note_changes
from engine.facts.columns import Column, plain
from engine.facts.identity import People
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome, refuse_nobody
from engine.facts.model import Place, SubscriptionRow
from engine.facts.refusal import Refused
from engine.facts.subscriptions import EXPIRED, Interval, Stated, intervals_of
from engine.facts.values.words import choice, text
from engine.store.tables import subscriptions

COLUMNS = (
    *PERSON,
    Column("subscription_id", plain(text(100)), required=True),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("sku", plain(text(80)), required=True),
    Column("status", plain(choice("active", "past_due", "cancelled", EXPIRED)), required=True),
    Column("renews_at", lambda manner: manner.instants, blank=None, instant=True),
    Column("ends_at", lambda manner: manner.instants, blank=None, instant=True),
)
Key = tuple[int, str]  # customer, subscription
Stands = dict[Key, dict[int, Stated]]  # what was said of each, by its time
Rows = dict[tuple[int, str, int], Interval]  # by the table's key


def _row(values: Sequence[Any], place: Place, _: bool) -> SubscriptionRow:  # noqa: FBT001 - no credits here
    row = SubscriptionRow._make((*values, place))
    refuse_nobody(row)
    if row.ends_at is not None and row.ends_at < row.at and row.status != EXPIRED:
        msg = "ends_at is before at"
        raise Refused(msg, row.subscription_ref)
    return row


def _land(connection: Connection, rows: Sequence[SubscriptionRow], landing: Landing) -> Outcome:
    people = People([(row.email, row.shop_id) for row in rows], landing.ids)
    people.load(connection)
    outcome = Outcome()
    said = _said(people, rows, outcome)
    touched = people.write(connection, landing.now)
    stored = _stored(connection, sorted({customer for customer, *_ in said}))
    stated = _stated(stored)
    for (customer, ref, at), theirs in said.items():
        of_it = stated.setdefault((customer, ref), {})
        _count(outcome, of_it.get(at), theirs)
        of_it[at] = theirs[-1]
    touched |= _write(connection, stored, _rows_of(stated), to_micros(landing.now))
    note_changes(connection, touched, landing.ids)
    return outcome


def _said(
    people: People, rows: Iterable[SubscriptionRow], outcome: Outcome
) -> Mapping[tuple[int, str, int], list[Stated]]:
    """The statements of the rows; of several about one instant the last one counts."""
    found: dict[tuple[int, str, int], list[Stated]] = {}
    for row in rows:
        try:
            person = people.find(row.email, row.shop_id, row.at)
        except Refused as refused:
            outcome.refuse([row.place], refused)
        else:
            stated = Stated(row.at, row.sku, row.status, row.renews_at, row.ends_at)
            found.setdefault((person.id, row.subscription_ref, row.at), []).append(stated)
    return found


def _count(outcome: Outcome, before: Stated | None, theirs: Sequence[Stated]) -> None:
    if before is None:
        outcome.inserted += len(theirs)
    elif before != theirs[-1]:
        outcome.updated += len(theirs)
    else:
        outcome.unchanged += len(theirs)


def _stored(connection: Connection, customer_ids: Sequence[int]) -> Rows:
    table = subscriptions.c
    instants = (table.at, table.renews_at, table.ends_at, table.until)
    at, renews_at, ends_at, until = (type_coerce(column, BigInteger) for column in instants)
    columns = (at, table.sku, table.status, renews_at, ends_at, until, table.derived)
    asked = select(table.customer_id, table.subscription_ref, *columns)
    found: Rows = {}
    for part in batched(customer_ids):
        for customer, ref, *rest in connection.execute(asked.where(table.customer_id.in_(part))):
            interval = Interval(*rest)
            found[customer, ref, interval.at] = interval
    return found


def _stated(stored: Rows) -> Stands:
    found: Stands = {}
    for (customer, ref, at), interval in stored.items():
        if not interval.derived:
            found.setdefault((customer, ref), {})[at] = Stated(*interval[:5])
    return found


def _rows_of(stated: Stands) -> Rows:
    return {
        (*key, interval.at): interval
        for key, of_it in stated.items()
        for interval in intervals_of(of_it.values())
    }


def _write(connection: Connection, stored: Rows, wanted: Rows, now: int) -> set[int]:
    """Bring the table in line, and say whose subscriptions changed."""
    gone = [key for key, interval in stored.items() if wanted.get(key) != interval]
    news = sorted(key for key, interval in wanted.items() if stored.get(key) != interval)
    remove(connection, subscriptions, ("customer_id", "subscription_ref", "at"), gone)
    insert_plain(connection, subscriptions, [(*key[:2], *wanted[key], now) for key in news])
    return {customer for customer, *_ in (*gone, *news)}


SUBSCRIPTIONS = Importer(
    "subscriptions",
    COLUMNS,
    _row,
    SubscriptionRow._make,
    _land,
    bundle=lambda row: row.subscription_ref,
    sku=lambda row: row.sku,
)
