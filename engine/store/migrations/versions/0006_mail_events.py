"""What comes back from providers: kept as it came, and what became of each mail."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "mail_events",
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("event_id", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.String(length=100), nullable=False),
        sa.Column("step_id", sa.String(length=100), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=400), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "source", "event_id", name=op.f("pk_mail_events")),
    )
    op.create_index("ix_mail_events_by_campaign", "mail_events", ["campaign_id", "kind", "at", "customer_id"])
    op.create_table(
        "inbound",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("event_id", sa.String(length=100), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_inbound")),
    )
    parked = sa.text("outcome = 'parked'")
    op.create_index(
        "ix_inbound_parked", "inbound", ["received_at"], sqlite_where=parked, postgresql_where=parked
    )
    waiting = sa.text("applied_at IS NULL")
    op.create_index(
        "ix_inbound_waiting",
        "inbound",
        ["received_at", "source", "event_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    op.drop_index("ix_inbound_waiting", table_name="inbound")
    op.drop_index("ix_inbound_parked", table_name="inbound")
    op.drop_table("inbound")
    op.drop_index("ix_mail_events_by_campaign", table_name="mail_events")
    op.drop_table("mail_events")
