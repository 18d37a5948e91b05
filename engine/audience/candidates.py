"""Whose answer may have changed since the last look: the change queue, and what the clock brought about."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, delete, exists, select

from engine.audience.judged import CANDIDATES, TAKEN
from engine.campaigns.model import Campaign
from engine.rules.model import CustomerIds, Scope
from engine.rules.people import customer_crossings
from engine.store.dialect import insert_from_select


def take_changes(connection: Connection, changes: Table) -> None:
    """Move the queue into the candidates. What is committed to it meanwhile stays for the next look."""
    columns = ["customer_id", "change_id"]
    connection.execute(
        TAKEN.insert().from_select(columns, select(changes.c.customer_id, changes.c.change_id))
    )
    same = (TAKEN.c.customer_id == changes.c.customer_id, TAKEN.c.change_id == changes.c.change_id)
    connection.execute(delete(changes).where(exists().where(*same)))
    _add(connection, select(TAKEN.c.customer_id).distinct())


def note_time(
    connection: Connection, campaigns: Sequence[Campaign], scope: Scope, since: datetime, runs: Table
) -> None:
    """Add those whom the time between `since` and now may have carried into or out of an audience."""
    for who in _crossings(campaigns, scope, since, runs):
        _add(connection, who)


def be_only(connection: Connection, customer_id: int) -> None:
    """One customer is the only candidate."""
    connection.execute(CANDIDATES.insert(), {"customer_id": customer_id})


def _crossings(
    campaigns: Sequence[Campaign], scope: Scope, since: datetime, runs: Table
) -> Iterator[CustomerIds]:
    yield from customer_crossings(scope, since)
    for campaign in campaigns:
        yield from campaign.audience.crossings(scope, since)
        if campaign.goal is not None:
            yield from campaign.goal.crossings(scope, since)
        if campaign.enter.again_after:
            yield _may_begin_again(campaign, scope, since, runs)


def _may_begin_again(campaign: Campaign, scope: Scope, since: datetime, runs: Table) -> CustomerIds:
    """Those whose last entry has become old enough. A run that ended since put them into the queue."""
    wait = campaign.enter.again_after
    return select(runs.c.customer_id).where(
        runs.c.campaign_id == campaign.id, runs.c.entered_at.between(since - wait, scope.now - wait)
    )


def _add(connection: Connection, who: CustomerIds) -> None:
    insert_from_select(connection, CANDIDATES, ["customer_id"], who)
