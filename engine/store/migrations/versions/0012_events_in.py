"""What sources of facts told of orders, and when each source was last heard of."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "dossiers",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("order_ref", sa.String(length=200), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "order_ref", name=op.f("pk_dossiers")),
    )
    op.create_index("ix_inbound_by_source", "inbound", ["source", "received_at"])


def downgrade() -> None:
    op.drop_index("ix_inbound_by_source", table_name="inbound")
    op.drop_table("dossiers")
