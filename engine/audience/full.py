"""Full evaluation: every audience over everybody, in one statement each."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Connection, String, literal

from engine.campaigns.model import Campaign
from engine.rules.model import Scope
from engine.rules.people import people
from engine.store.dialect import memory_table
from engine.store.tables import customers

AUDIENCE = memory_table(
    "plan_audience",
    [
        Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("campaign_id", String(100), primary_key=True),
    ],
)


def evaluate(
    connection: Connection,
    campaigns: Sequence[Campaign],
    scope: Scope,
    only: int | None = None,
) -> None:
    """Fill AUDIENCE with the customers that each campaign's audience holds; perhaps of one only."""
    scope = scope if only is None else scope.each()  # one person is looked up, not sought among all
    for campaign in campaigns:
        ids = people(campaign.audience, scope, customers_only=True)
        if only is not None:
            ids = ids.where(customers.c.customer_id == only)
        held = ids.add_columns(literal(campaign.id))
        connection.execute(AUDIENCE.insert().from_select(["customer_id", "campaign_id"], held))
