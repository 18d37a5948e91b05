"""explain: why a customer gets a campaign's mails, or does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.app.project import Project
from engine.audience.looks import last_at
from engine.errors import UnknownCustomer
from engine.facts.lookup import customer_row, find_customer
from engine.planning.explain import Explanation, explain_campaign
from engine.planning.plan import make_plan
from engine.planning.state import imagined, read_at
from engine.store.tables import looks


@dataclass(frozen=True)
class Explained:
    """One customer, and an explanation for each campaign asked about."""

    customer: Mapping[str, Any]
    at: datetime
    campaigns: Sequence[Explanation]


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
        explained = [
            explain_campaign(connection, project.book, state, desk, each, (customer_id, now))
            for each in project.book.campaigns
            if campaign in (None, each.name)
        ]
    return Explained(customer, now, explained)
