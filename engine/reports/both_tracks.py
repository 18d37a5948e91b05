"""Which products were offered in both tracks, and to how many people each?"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    func,
    select,
    type_coerce,
)

from engine.campaigns.model import BACK_END, FRONT_END, Campaign
from engine.clock import span
from engine.reports.claims import LEFT
from engine.store.tables import messages


class InBoth(NamedTuple):
    """A product, and the customers to whom mails of each track offered it.

    `both` heard of it in the front end and then in the back end, `too_soon` of them before the quiet
    after their transaction was over.
    """

    sku: str
    front: int
    back: int
    both: int
    too_soon: int


def offered_in_both(
    connection: Connection, campaigns: Sequence[Campaign], quiet: timedelta, since: datetime, until: datetime
) -> list[InBoth]:
    """The products that campaigns of both tracks offer, by the mails that left in that time."""
    offered = {track: _offers(campaigns, track) for track in (FRONT_END, BACK_END)}
    both = sorted(offered[FRONT_END].keys() & offered[BACK_END].keys())
    found = []
    for sku in both:
        front, back = (
            _mails(offered[track][sku], since, until).alias(track.replace("-", "_"))
            for track in (FRONT_END, BACK_END)
        )
        after = and_(front.c.customer_id == back.c.customer_id, back.c.settled_at >= front.c.settled_at)
        pairs = front.join(back, after)
        soon = _micros(back.c.settled_at) < _micros(front.c.closes_at) + span(quiet)
        asked = (_people(front), _people(back), _people(front, pairs), _people(front, pairs).where(soon))
        found.append(InBoth(sku, *(int(connection.scalar(each) or 0) for each in asked)))
    return found


def _offers(campaigns: Iterable[Campaign], track: str) -> dict[str, list[str]]:
    """By product, the campaigns of that track which offer it."""
    found: dict[str, list[str]] = {}
    for campaign in campaigns:
        for sku in campaign.offers if campaign.track == track else ():
            found.setdefault(sku, []).append(campaign.id)
    return found


def _mails(campaign_ids: Sequence[str], since: datetime, until: datetime) -> Select[Any]:
    made = messages.c
    return select(made.customer_id, made.settled_at, made.closes_at).where(
        made.campaign_id.in_(campaign_ids), made.status.in_(LEFT), made.settled_at.between(since, until)
    )


def _people(mails: FromClause, source: FromClause | None = None) -> Select[Any]:
    return select(func.count(mails.c.customer_id.distinct())).select_from(mails if source is None else source)


def _micros(instant: ColumnElement[datetime]) -> ColumnElement[int]:
    return type_coerce(instant, BigInteger)
