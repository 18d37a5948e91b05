"""When addresses were last let in again, so that nothing older is held against them once more."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "lifts",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", "reason", name=op.f("pk_lifts")),
    )


def downgrade() -> None:
    op.drop_table("lifts")
