"""What is told of a mail is of one attempt at it; and how long a mail is tried in vain."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    attempt = sa.Column("attempt", sa.Integer(), nullable=False, server_default="0")
    op.add_column("mail_events", attempt)
    op.add_column("messages", sa.Column("in_vain_since", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("messages") as messages:
        messages.drop_column("in_vain_since")
    with op.batch_alter_table("mail_events") as mail_events:
        mail_events.drop_column("attempt")
