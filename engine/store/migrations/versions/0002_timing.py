"""Send windows: when to look again at a run, and until when a mail may go."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("looks", sa.Column("timing", sa.String(16), nullable=False, server_default=""))
    op.add_column("enrollments", sa.Column("wake_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE enrollments SET wake_at = due_at")
    op.drop_index("ix_enrollments_due", "enrollments")
    op.create_index("ix_enrollments_due", "enrollments", ["status", "wake_at", "customer_id", "campaign_id"])
    op.add_column("messages", sa.Column("meant_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("closes_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE messages SET meant_at = planned_at")


def downgrade() -> None:
    op.drop_column("messages", "closes_at")
    op.drop_column("messages", "meant_at")
    op.drop_index("ix_enrollments_due", "enrollments")
    op.drop_column("enrollments", "wake_at")
    op.create_index("ix_enrollments_due", "enrollments", ["status", "due_at", "customer_id", "campaign_id"])
    op.drop_column("looks", "timing")
