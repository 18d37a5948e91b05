"""The table of subscriptions, kept in line with what was stated of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from engine.clock import to_micros
from engine.facts.batches import batched
from engine.facts.bulk import as_kept, insert_plain, remove
from engine.facts.subscriptions import Interval, Stated, intervals_of
from engine.store.tables import subscriptions

Statements = dict[tuple[int, str], dict[int, Stated]]  # by customer and subscription, then by time
Intervals = dict[tuple[int, str, int], Interval]  # by the table's key


def stored_intervals(connection: Connection, customer_ids: Iterable[int]) -> Intervals:
    """All subscriptions of these customers as they are stored."""
    columns = list(subscriptions.columns)[:-1]  # all but recorded_at
    found: Intervals = {}
    for part in batched(sorted(customer_ids)):
        asked = select(*map(as_kept, columns)).where(subscriptions.c.customer_id.in_(part))
        for customer, ref, at, *rest in connection.execute(asked):
            found[customer, ref, at] = Interval(at, *rest)
    return found


def customers_of(connection: Connection, refs: Iterable[str]) -> set[int]:
    """Who has one of these subscriptions so far."""
    table = subscriptions.c
    found: set[int] = set()
    for part in batched(sorted(refs)):
        asked = select(table.customer_id).where(table.subscription_ref.in_(part))
        found.update(connection.scalars(asked.distinct()))
    return found


def owners_of(stated: Iterable[tuple[int, str, int]]) -> dict[str, int]:
    """Of the subscriptions that stand with several customers, whom the latest statement names.

    Of equally late ones the last that is given here counts.
    """
    latest: dict[str, tuple[int, int]] = {}
    several: set[str] = set()
    for customer, ref, at in stated:
        before, owner = latest.get(ref, (at, customer))
        if owner != customer:
            several.add(ref)
        latest[ref] = (at, customer) if at >= before else (before, owner)
    return {ref: latest[ref][1] for ref in several}


def hand_over(stated: Statements, owners: Mapping[str, int]) -> None:
    """Give all that was stated of these subscriptions to their owners."""
    for customer, ref in [key for key in stated if owners.get(key[1], key[0]) != key[0]]:
        theirs = stated.pop((customer, ref))
        stated[owners[ref], ref] = theirs | stated.get((owners[ref], ref), {})


def stated_in(stored: Intervals) -> Statements:
    """What sources said; the rest was derived from it."""
    found: Statements = {}
    for (customer, ref, at), interval in stored.items():
        if not interval.derived:
            found.setdefault((customer, ref), {})[at] = Stated(*interval[:5])
    return found


def write_intervals(connection: Connection, stored: Intervals, stated: Statements, now: datetime) -> set[int]:
    """Bring the table in line with what is stated, and say whose subscriptions changed."""
    wanted = {
        (*key, interval.at): interval
        for key, of_it in stated.items()
        for interval in intervals_of(of_it.values())
    }
    gone = [key for key, interval in stored.items() if wanted.get(key) != interval]
    news = sorted(key for key, interval in wanted.items() if stored.get(key) != interval)
    remove(connection, subscriptions, ("customer_id", "subscription_ref", "at"), gone)
    micros = to_micros(now)
    insert_plain(connection, subscriptions, [(*key[:2], *wanted[key], micros) for key in news])
    return {customer for customer, *_ in (*gone, *news)}


def forget_derived(connection: Connection, customer_ids: Iterable[int]) -> None:
    """Leave only what was stated, until `restate` derives the rest anew."""
    theirs = subscriptions.c.customer_id.in_(customer_ids)
    connection.execute(delete(subscriptions).where(theirs, subscriptions.c.derived))


def restate(connection: Connection, customer_ids: Iterable[int], now: datetime) -> None:
    """Derive the intervals of these customers' subscriptions anew."""
    stored = stored_intervals(connection, customer_ids)
    write_intervals(connection, stored, stated_in(stored), now)
