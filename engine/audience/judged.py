"""The temporary tables of one look at the audiences: who was judged, and who was held."""

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, String, Table, and_, exists, select

from engine.store.dialect import lay_out, memory_table


def _customer() -> Column[int]:
    return Column("customer_id", BigInteger, primary_key=True, autoincrement=False)


def _campaign() -> Column[str]:
    return Column("campaign_id", String(100), primary_key=True)


AUDIENCE = memory_table("plan_audience", [_customer(), _campaign()])  # judged, and held
CANDIDATES = memory_table("plan_candidates", [_customer()])  # judged by every campaign
EVERYBODY = memory_table("plan_everybody", [_campaign()])  # these campaigns judged everybody
TAKEN = memory_table(  # off the change queue by this look
    "plan_taken", [_customer(), Column("change_id", BigInteger, primary_key=True, autoincrement=False)]
)


def clear(connection: Connection) -> None:
    """Nobody has been judged yet."""
    lay_out(connection, AUDIENCE, CANDIDATES, EVERYBODY, TAKEN)


def judges_everybody(connection: Connection, campaign_id: str) -> bool:
    """Whether this look asked everybody about the campaign."""
    asked = select(EVERYBODY.c.campaign_id).where(EVERYBODY.c.campaign_id == campaign_id)
    return connection.scalar(asked) is not None


def unjudged(table: Table) -> ColumnElement[bool]:
    """SQL: the row's campaign has not judged the row's customer in this look."""
    everybody = exists().where(EVERYBODY.c.campaign_id == table.c.campaign_id)
    candidate = exists().where(CANDIDATES.c.customer_id == table.c.customer_id)
    return and_(~everybody, ~candidate)
