"""The products that a source's name of one has stood for so far, so that one mended leaves nothing behind."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "meanings",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sku", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("source", "name", "sku", name=op.f("pk_meanings")),
    )


def downgrade() -> None:
    op.drop_table("meanings")
