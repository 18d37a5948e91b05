"""A transaction tells what closed it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    closed_by = sa.Column("closed_by", sa.String(length=10), nullable=False, server_default="window")
    op.add_column("transactions", closed_by)


def downgrade() -> None:
    with op.batch_alter_table("transactions") as transactions:
        transactions.drop_column("closed_by")
