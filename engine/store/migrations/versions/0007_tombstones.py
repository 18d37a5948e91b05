"""Who was erased stays erased: hashed names by which an import passes them over."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("erasure", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_tombstones")),
    )
    op.create_index(op.f("ix_tombstones_erasure"), "tombstones", ["erasure"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_tombstones_erasure"), table_name="tombstones")
    op.drop_table("tombstones")
