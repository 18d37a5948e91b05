"""Send windows and triggers: when to look again at a run, until when a mail may go, what began a run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "triggers",
        sa.Column("campaign_id", sa.String(100), nullable=False),
        sa.Column("rule", sa.String(16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_triggers")),
    )
    op.create_table(
        "occasions",
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.String(100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "campaign_id", "at", name=op.f("pk_occasions")),
    )
    op.add_column("looks", sa.Column("timing", sa.String(16), nullable=False, server_default=""))
    op.add_column("enrollments", sa.Column("wake_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE enrollments SET wake_at = due_at")
    op.drop_index("ix_enrollments_due", "enrollments")
    op.create_index("ix_enrollments_due", "enrollments", ["status", "wake_at", "customer_id", "campaign_id"])
    asleep = sa.text("wake_at > due_at")
    op.create_index(
        "ix_enrollments_asleep",
        "enrollments",
        ["customer_id", "campaign_id"],
        sqlite_where=asleep,
        postgresql_where=asleep,
    )
    op.add_column("messages", sa.Column("meant_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("closes_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE messages SET meant_at = planned_at")


def downgrade() -> None:
    op.drop_column("messages", "closes_at")
    op.drop_column("messages", "meant_at")
    op.drop_index("ix_enrollments_asleep", "enrollments")
    op.drop_index("ix_enrollments_due", "enrollments")
    op.drop_column("enrollments", "wake_at")
    op.create_index("ix_enrollments_due", "enrollments", ["status", "due_at", "customer_id", "campaign_id"])
    op.drop_column("looks", "timing")
    op.drop_table("occasions")
    op.drop_table("triggers")
