"""explain: why a customer gets a campaign's mails, or does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from engine.app.project import Project
from engine.app.purchases import Purchases, purchases_of
from engine.audience.looks import last_at
from engine.errors import UnknownCustomer
from engine.facts.lookup import customer_row, find_customer
from engine.planning.desk import Desk
from engine.planning.explain import Explanation, explain_campaign
from engine.planning.plan import make_plan
from engine.planning.readout import sendings
from engine.planning.state import imagined, read_at
from engine.rendering.mail import MailOrder, Unwritable
from engine.store.tables import looks


@dataclass(frozen=True)
class Explained:
    """One customer, an explanation for each campaign asked about, and what they bought."""

    customer: Mapping[str, Any]
    at: datetime
    campaigns: Sequence[Explanation]
    purchases: Purchases


def explain_customer(
    project: Project, who: str, at: datetime | None = None, campaign: str | None = None
) -> Explained:
    """Explain one campaign, or all of them, to one customer: at an instant, or now."""
    if campaign is not None:
        campaign = project.known_campaign(campaign)
    with project.store.reading() as connection:
        now = at or read_at(connection, project.clock)
        customer_id = find_customer(connection, who)
        customer = customer_row(connection, customer_id)
        if customer["known_at"] > now:
            msg = f"{who!r} was not known yet at {now:%Y-%m-%d %H:%M}Z"
            raise UnknownCustomer(msg, hint=f"the first we heard was {customer['known_at']:%Y-%m-%d %H:%M}Z")
        last = last_at(connection, looks)
        state = imagined(connection, customer_id)
        past = last is not None and now < last
        desk = None if past else make_plan(connection, project.book, state, now, only=customer_id)
        failing = _unwritable(project, connection, desk, now) if desk else {}
        explained = [
            replace(
                explain_campaign(connection, project.book, state, desk, each, (customer_id, now)),
                unwritable=failing.get(each.id),
            )
            for each in project.book.campaigns
            if campaign in (None, each.name)
        ]
        bought = purchases_of(connection, project.settings, customer_id, now)
    return Explained(customer, now, explained, bought)


def _unwritable(
    project: Project, connection: Connection, desk: Desk, now: datetime
) -> Mapping[str, Mapping[str, str]]:
    """Of the mails that would leave now, those that cannot be written and why, by campaign id."""
    orders = [MailOrder(each.key, each.planned_at) for each in sendings(connection, desk)]
    return {
        each.key.campaign_id: {"reason": each.reason, "message": each.message}
        for each in project.studio.compose(connection, orders, now)
        if isinstance(each, Unwritable)
    }
