"""Each mail knows the topic it was planned under, for the caps of that topic."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

VERSIONS = sa.table("campaign_versions", *map(sa.column, ("campaign_id", "version", "definition")))
MESSAGES = sa.table("messages", *map(sa.column, ("campaign_id", "version", "topic")))
USUAL = "marketing"


def upgrade() -> None:
    column = sa.Column("topic", sa.String(length=100), nullable=False, server_default=USUAL)
    op.add_column("messages", column)
    database = op.get_bind()
    for campaign_id, version, definition in database.execute(sa.select(VERSIONS)).all():
        topic = json.loads(definition).get("topic", USUAL)
        same = (MESSAGES.c.campaign_id == campaign_id, MESSAGES.c.version == version)
        if topic != USUAL:
            database.execute(sa.update(MESSAGES).where(*same).values(topic=topic))


def downgrade() -> None:
    with op.batch_alter_table("messages") as messages:
        messages.drop_column("topic")
