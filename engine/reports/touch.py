"""The first touch: the traffic that somebody came by, as visits tell it, else as orders do."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, Subquery, func, literal, or_, select, union_all

from engine.store.tables import funnel_events, orders

BOT, UNKNOWN = "bot", "(not known)"


def named(traffic: Sequence[str]) -> str:
    """Source, campaign and ad in words, such as `google / spring`; nothing where none is known.

    One that is not known in front of others is told, so that each name is that of one traffic alone.
    """
    known = max((place for place, part in enumerate(traffic, start=1) if part), default=0)
    return " / ".join(part or UNKNOWN for part in traffic[:known])


def by_people(table: FromClause = funnel_events) -> ColumnElement[bool]:
    """SQL: not done by a machine, as far as the source tells."""
    return table.c.device != BOT


def first_touches(people: FromClause, before: ColumnElement[datetime]) -> Subquery:
    """SQL: customer_id, source, campaign and ad of the first visit or order of these people that tells its
    traffic, at or before an instant; who is not in it came nobody knows how.

    Of two at the same instant a visit counts, since it tells more.
    """
    event, order = funnel_events.c, orders.c
    visits = (
        select(event.customer_id, event.at, literal(0).label("turn"), event.source, event.campaign, event.ad)
        .join(people, people.c.customer_id == event.customer_id)
        .where(_tells(funnel_events), by_people(), event.at <= before)
    )
    bought = (
        select(
            order.customer_id,
            order.at,
            literal(1).label("turn"),
            order.source,
            order.campaign,
            literal("").label("ad"),
        )
        .join(people, people.c.customer_id == order.customer_id)
        .where(_tells(orders), order.at <= before)
    )
    every = union_all(visits, bought).subquery("touches")
    said = every.c
    place = func.row_number().over(
        partition_by=said.customer_id, order_by=(said.at, said.turn, said.source, said.campaign, said.ad)
    )
    ranked = select(said.customer_id, said.source, said.campaign, said.ad, place.label("place")).subquery()
    first = select(ranked.c.customer_id, ranked.c.source, ranked.c.campaign, ranked.c.ad)
    return first.where(ranked.c.place == 1).subquery("first_touch")


def first_devices(people: FromClause, now: datetime) -> Subquery:
    """SQL: customer_id and the first device that a visit of these people tells by `now`."""
    event = funnel_events.c
    place = func.row_number().over(partition_by=event.customer_id, order_by=(event.at, event.device))
    ranked = (
        select(event.customer_id, event.device, place.label("place"))
        .join(people, people.c.customer_id == event.customer_id)
        .where(by_people(), event.device != "", event.at <= now)
        .subquery()
    )
    first = select(ranked.c.customer_id, ranked.c.device).where(ranked.c.place == 1)
    return first.subquery("first_device")


def _tells(table: FromClause) -> ColumnElement[bool]:
    return or_(table.c.source != "", table.c.medium != "", table.c.campaign != "")
