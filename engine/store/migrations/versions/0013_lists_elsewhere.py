"""Addresses that stand on lists of a provider, and up to when these were read."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "listed_elsewhere",
        sa.Column("list", sa.String(length=60), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("list", "address_hash", name=op.f("pk_listed_elsewhere")),
    )
    op.create_table(
        "lists_read",
        sa.Column("list", sa.String(length=60), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("list", name=op.f("pk_lists_read")),
    )


def downgrade() -> None:
    op.drop_table("lists_read")
    op.drop_table("listed_elsewhere")
