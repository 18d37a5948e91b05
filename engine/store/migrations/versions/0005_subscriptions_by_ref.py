"""A subscription that turns up with another customer is found by its reference."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index(
        "ix_subscriptions_by_ref", "subscriptions", ["subscription_ref", "customer_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_subscriptions_by_ref", table_name="subscriptions")
