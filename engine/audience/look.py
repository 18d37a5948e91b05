"""A look at every audience: over everybody where it must be, else over the candidates."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection, Table, literal, select

from engine.audience import candidates, looks
from engine.audience.judged import AUDIENCE, CANDIDATES, EVERYBODY
from engine.campaigns.model import Campaign
from engine.rules.model import Scope
from engine.rules.people import people
from engine.store.tables import customers


class Before(Protocol):
    """What earlier looks and runs left: when each audience was looked at, the change queue, the runs."""

    @property
    def looks(self) -> Table: ...
    @property
    def changes(self) -> Table: ...
    @property
    def enrollments(self) -> Table: ...


def look_at_one(
    connection: Connection, campaigns: Sequence[Campaign], scope: Scope, customer_id: int
) -> None:
    """Judge one customer by every audience."""
    candidates.be_only(connection, customer_id)
    for campaign in campaigns:
        _judge_candidates(connection, campaign, scope)


def look(
    connection: Connection,
    campaigns: Sequence[Campaign],
    digests: Mapping[str, str],
    scope: Scope,
    before: Before,
) -> None:
    """Judge those whose answer may have changed since the last look, by the queue or by the time.

    A campaign that had no last look, or whose rule is another one now, judges everybody; all do
    after the clock went back.
    """
    since = looks.still_good(connection, before.looks, digests, scope.now)
    resting = [campaign for campaign in campaigns if campaign.id in since]
    candidates.take_changes(connection, before.changes)
    for instant in set(since.values()):
        candidates.note_time(connection, resting, scope, instant, before.enrollments)
    for campaign in campaigns:
        (_judge_candidates if campaign in resting else _judge_everybody)(connection, campaign, scope)


def _judge_everybody(connection: Connection, campaign: Campaign, scope: Scope) -> None:
    connection.execute(EVERYBODY.insert(), {"campaign_id": campaign.id})
    held = people(campaign.audience, scope, customers_only=True).add_columns(literal(campaign.id))
    connection.execute(AUDIENCE.insert().from_select(["customer_id", "campaign_id"], held))


def _judge_candidates(connection: Connection, campaign: Campaign, scope: Scope) -> None:
    """Each of them is looked up, not sought among all."""
    held = people(campaign.audience, scope.each(), customers_only=True).add_columns(literal(campaign.id))
    asked = held.where(customers.c.customer_id.in_(select(CANDIDATES.c.customer_id)))
    connection.execute(AUDIENCE.insert().from_select(["customer_id", "campaign_id"], asked))
