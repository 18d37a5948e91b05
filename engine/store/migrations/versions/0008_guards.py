"""How many mails a day a new sender has used up, why a campaign is paused, and when a pause ended."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "quotas",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "day", name=op.f("pk_quotas")),
    )
    op.create_table(
        "resumes",
        sa.Column("campaign_id", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_resumes")),
    )
    with op.batch_alter_table("pauses") as pauses:
        pauses.add_column(sa.Column("reason", sa.String(length=400), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("pauses") as pauses:
        pauses.drop_column("reason")
    op.drop_table("resumes")
    op.drop_table("quotas")
