"""What a daemon needs: who is paused, how fast mails may leave, and which database this is."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("campaign_id", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_pauses")),
    )
    op.create_table(
        "throttle",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_throttle")),
    )
    op.create_table(
        "generation",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("database_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("review_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_generation")),
    )


def downgrade() -> None:
    op.drop_table("generation")
    op.drop_table("throttle")
    op.drop_table("pauses")
