"""When the jobs of daemons failed, from when until when and why, so that other processes can tell."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "failures",
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("owner", "job", "since", name=op.f("pk_failures")),
    )


def downgrade() -> None:
    op.drop_table("failures")
