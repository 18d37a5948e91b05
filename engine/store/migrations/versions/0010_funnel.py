"""The way of visitors and checkouts, and what advertising cost."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "funnel_events",
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("sku", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.String(length=200), nullable=False)
            for name in ("checkout_id", "source", "medium", "campaign", "ad")
        ),
        sa.Column("device", sa.String(length=20), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "what", "stage", "sku", "at", name=op.f("pk_funnel_events")),
    )
    op.create_index("ix_funnel_events_by_stage", "funnel_events", ["what", "stage", "at", "customer_id"])
    op.create_index("ix_funnel_events_by_offer", "funnel_events", ["sku", "what", "at", "customer_id"])
    op.create_table(
        "spend",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("campaign", sa.String(length=200), nullable=False),
        sa.Column("ad", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "source", "campaign", "ad", name=op.f("pk_spend")),
    )


def downgrade() -> None:
    op.drop_table("spend")
    op.drop_index("ix_funnel_events_by_offer", table_name="funnel_events")
    op.drop_index("ix_funnel_events_by_stage", table_name="funnel_events")
    op.drop_table("funnel_events")
