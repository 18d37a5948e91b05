"""How a subscription stood, in SQL over its changes: the one in force, and when it came to be so."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_

from engine.store.tables import subscriptions

Alike = Callable[[FromClause], ColumnElement[bool]]  # of a change: SQL that says whether it is one of a sort


def in_force(change: FromClause, now: datetime) -> ColumnElement[bool]:
    """SQL: the subscription stands at `now` as this change left it."""
    return and_(change.c.at <= now, or_(change.c.until.is_(None), change.c.until > now))


def beginning(change: FromClause, alike: Alike) -> tuple[FromClause, ColumnElement[bool]]:
    """An earlier or the same change, and SQL that is true of the one since which all have been alike."""
    first, before, between = (subscriptions.alias() for _ in range(3))
    alike_before = exists().where(_same(before, first), before.c.until == first.c.at, alike(before))
    broken = (
        exists()
        .where(_same(between, first), between.c.at > first.c.at, between.c.at < change.c.at, ~alike(between))
        .correlate(first, change)
    )
    began = and_(_same(first, change), first.c.at <= change.c.at, alike(first), ~alike_before, ~broken)
    return first, began


def _same(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """SQL: two changes of one subscription."""
    return and_(one.c.customer_id == other.c.customer_id, one.c.subscription_ref == other.c.subscription_ref)
