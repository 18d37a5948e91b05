"""The temporary tables of one look at the audiences: who was judged, and who was held."""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    String,
    exists,
    or_,
    select,
)

from engine.store.dialect import lay_out, memory_table


def _customer() -> Column[int]:
    return Column("customer_id", BigInteger, primary_key=True, autoincrement=False)


def _campaign() -> Column[str]:
    return Column("campaign_id", String(100), primary_key=True)


AUDIENCE = memory_table("plan_audience", [_customer(), _campaign()])  # judged, and held
CANDIDATES = memory_table("plan_candidates", [_customer()])  # judged by every campaign
PASSED = memory_table("plan_passed", [_campaign(), _customer()])  # the others, judged by this one only
PAYERS = memory_table("plan_payers", [_customer()])  # candidates who are customers
EVERYBODY = memory_table("plan_everybody", [_campaign()])  # these campaigns judged everybody
TAKEN = memory_table(  # off the change queue by this look
    "plan_taken", [_customer(), Column("change_id", BigInteger, primary_key=True, autoincrement=False)]
)


def clear(connection: Connection) -> None:
    """Nobody has been judged yet."""
    lay_out(connection, AUDIENCE, CANDIDATES, PASSED, PAYERS, EVERYBODY, TAKEN)


def judging_everybody(connection: Connection) -> set[str]:
    """The campaigns that judged everybody in this look."""
    return set(connection.scalars(select(EVERYBODY.c.campaign_id)))


def judged(table: FromClause) -> ColumnElement[bool]:
    """SQL: this look asked about the row's customer for the row's campaign."""
    everybody = exists().where(EVERYBODY.c.campaign_id == table.c.campaign_id)
    passed = exists().where(
        PASSED.c.campaign_id == table.c.campaign_id, PASSED.c.customer_id == table.c.customer_id
    )
    return or_(table.c.customer_id.in_(select(CANDIDATES.c.customer_id)), passed, everybody)
