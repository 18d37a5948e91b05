"""What happened to two checkouts of one visitor at one time are two events."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
KEY = ["customer_id", "what", "stage", "sku", "at"]
NAME = "pk_funnel_events"


def upgrade() -> None:
    with op.batch_alter_table("funnel_events") as events:
        events.drop_constraint(NAME, type_="primary")
        events.create_primary_key(NAME, [*KEY, "checkout_id"])


def downgrade() -> None:
    events = sa.table("funnel_events", *map(sa.column, (*KEY, "checkout_id")))
    other = events.alias()
    same = [other.c[name] == events.c[name] for name in KEY]
    later = sa.exists().where(*same, other.c.checkout_id > events.c.checkout_id)
    op.execute(sa.delete(events).where(later))
    with op.batch_alter_table("funnel_events") as changed:
        changed.drop_constraint(NAME, type_="primary")
        changed.create_primary_key(NAME, KEY)
