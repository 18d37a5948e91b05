"""A refund keeps what was charged back, so that it can be changed anew when the rate of its order is."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("refunds", sa.Column("charged", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("refunds") as refunds:
        refunds.drop_column("charged")
