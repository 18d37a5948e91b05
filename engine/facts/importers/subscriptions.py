"""Subscriptions: how each of them stood from an instant on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from engine.facts.columns import Column, plain
from engine.facts.identity import People, lock_customers
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome, refuse_nobody
from engine.facts.importers.settling import settle
from engine.facts.model import Place, SubscriptionRow
from engine.facts.refusal import Refused
from engine.facts.standing import (
    customers_of,
    hand_over,
    owners_of,
    stated_in,
    stored_intervals,
    write_intervals,
)
from engine.facts.subscriptions import EXPIRED, Stated
from engine.facts.values.words import choice, text

COLUMNS = (
    *PERSON,
    Column("subscription_id", plain(text(100)), required=True),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("sku", plain(text(80)), required=True),
    Column("status", plain(choice("active", "past_due", "cancelled", EXPIRED)), required=True),
    Column("renews_at", lambda manner: manner.instants, blank=None, instant=True),
    Column("ends_at", lambda manner: manner.instants, blank=None, instant=True),
)
Said = Mapping[tuple[int, str, int], list[Stated]]  # by customer, subscription and time


def _row(values: Sequence[Any], place: Place, _: bool) -> SubscriptionRow:  # noqa: FBT001 - no credits here
    row = SubscriptionRow._make((*values, place))
    refuse_nobody(row)
    if row.ends_at is not None and row.ends_at < row.at and row.status != EXPIRED:
        msg = "ends_at is before at"
        raise Refused(msg, row.subscription_ref)
    return row


def _land(connection: Connection, rows: Sequence[SubscriptionRow], landing: Landing) -> Outcome:
    people = People(rows, landing.ids)
    people.load(connection)
    outcome = Outcome()
    said = _said(people, rows, outcome)
    touched = people.write(connection, landing.now)
    holders = customers_of(connection, {ref for _, ref, _ in said})
    lock_customers(connection, holders)
    stored = stored_intervals(connection, holders | {customer for customer, *_ in said})
    stated = stated_in(stored)
    known_as = people.merged  # whose an anonymous customer's are anyhow
    owners = owners_of((known_as.get(who, who), ref, at) for who, ref, at in (*stored, *said))
    outcome.moved.tell(*sorted(owners))
    moved = {ref for customer, ref in stated if owners.get(ref, customer) != customer}
    hand_over(stated, owners)
    for (customer, ref, at), theirs in said.items():
        of_it = stated.setdefault((owners.get(ref, customer), ref), {})
        outcome.count(_as_it_was(of_it.get(at), moved=ref in moved), theirs[-1], len(theirs))
        of_it[at] = theirs[-1]
    touched |= write_intervals(connection, stored, stated, landing.now)
    return settle(connection, people, touched, landing, outcome)


def _as_it_was(stated: Stated | None, *, moved: bool) -> Stated | str | None:
    """What is compared with a row: one that is now another customer's is changed, whatever it says."""
    return "another customer's" if stated and moved else stated


def _said(people: People, rows: Iterable[SubscriptionRow], outcome: Outcome) -> Said:
    """The statements of the rows; of several about one instant the last one counts."""
    found: dict[tuple[int, str, int], list[Stated]] = {}
    for row in rows:
        try:
            person = people.find(row, row.at)
        except Refused as refused:
            outcome.refuse([row.place], refused)
        else:
            stated = Stated(row.at, row.sku, row.status, row.renews_at, row.ends_at)
            found.setdefault((person.id, row.subscription_ref, row.at), []).append(stated)
    return found


SUBSCRIPTIONS = Importer(
    "subscriptions",
    COLUMNS,
    _row,
    SubscriptionRow._make,
    _land,
    bundle=lambda row: row.subscription_ref,
    sku=lambda row: row.sku,
)
