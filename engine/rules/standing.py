"""How a subscription stood, in SQL over its changes: the one in force, and when it came to be so."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, func, literal, or_, select

from engine.store.tables import subscriptions

Alike = Callable[[FromClause], ColumnElement[bool]]  # of a change: SQL that says whether it is one of a sort


def in_force(change: FromClause, now: datetime | ColumnElement[Any]) -> ColumnElement[bool]:
    """SQL: the subscription stands at `now` as this change left it."""
    return and_(change.c.at <= now, or_(change.c.until.is_(None), change.c.until > now))


def beginning(change: FromClause, alike: Alike) -> tuple[FromClause, ColumnElement[bool]]:
    """An earlier or the same change, and SQL that is true of the one since which all have been alike."""
    first, before, between = (subscriptions.alias() for _ in range(3))
    alike_before = exists().where(_same(before, first), before.c.until == first.c.at, alike(before))
    broken = exists().where(
        _same(between, first), between.c.at > first.c.at, between.c.at < change.c.at, ~alike(between)
    )
    nor = [~test.correlate(first, change) for test in (alike_before, broken)]
    return first, and_(_same(first, change), first.c.at <= change.c.at, alike(first), *nor)


def first_within(change: FromClause, run: Alike, sort: Alike) -> ColumnElement[Any]:
    """SQL: when the first of a sort came in the run of changes alike that this one is of; else NULL."""
    start, began = beginning(change, run)
    one = subscriptions.alias()
    so = and_(_same(one, change), sort(one), one.c.at.between(start.c.at, change.c.at))
    first = select(func.min(one.c.at, type_=one.c.at.type)).select_from(one, start).where(began, so)
    return first.correlate(change).scalar_subquery()


def _same(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """SQL: two changes of one subscription."""
    return and_(one.c.customer_id == other.c.customer_id, one.c.subscription_ref == other.c.subscription_ref)


def runs(change: FromClause, now: datetime | ColumnElement[Any]) -> ColumnElement[bool]:
    """SQL: by this change the subscription runs at `now`, if only to the end of what was paid for."""
    runs_out = and_(change.c.status == "cancelled", change.c.ends_at > now)
    return and_(in_force(change, now), or_(change.c.status.in_(("active", "past_due")), runs_out))


def running(customer_id: Any, sku: Any, now: datetime | ColumnElement[Any]) -> ColumnElement[bool]:
    """SQL: a subscription of that product runs for that customer."""
    return _any_of(customer_id, sku, runs(subscriptions, now))


def known(customer_id: Any, sku: Any, now: datetime | ColumnElement[Any]) -> ColumnElement[bool]:
    """SQL: something is known of how a subscription of that product stood for that customer."""
    return _any_of(customer_id, sku, subscriptions.c.at <= now)


def _any_of(customer_id: Any, sku: Any, asked: ColumnElement[bool]) -> ColumnElement[bool]:
    row = subscriptions.c
    return exists(select(literal(1)).where(row.customer_id == customer_id, row.sku == sku, asked))
