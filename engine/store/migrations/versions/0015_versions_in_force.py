"""Since when a version of a campaign's file has been the one in force, where an edit was taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column(
        "campaign_versions", sa.Column("last_taken_at", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.execute("UPDATE campaign_versions SET last_taken_at = first_used_at")


def downgrade() -> None:
    with op.batch_alter_table("campaign_versions") as versions:
        versions.drop_column("last_taken_at")
