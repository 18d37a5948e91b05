"""What happened to two checkouts of one visitor at one time are two events; what waits, waits for a part."""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
KEY = ["customer_id", "what", "stage", "sku", "at"]
NAME = "pk_funnel_events"


def upgrade() -> None:
    with op.batch_alter_table("funnel_events") as events:
        events.drop_constraint(NAME, type_="primary")
        events.create_primary_key(NAME, [*KEY, "checkout_id"])
    _change_what_waits(lambda waits: {"order": waits} if waits else {})


def downgrade() -> None:
    events = sa.table("funnel_events", *map(sa.column, (*KEY, "checkout_id")))
    other = events.alias()
    same = [other.c[name] == events.c[name] for name in KEY]
    later = sa.exists().where(*same, other.c.checkout_id > events.c.checkout_id)
    op.execute(sa.delete(events).where(later))
    with op.batch_alter_table("funnel_events") as changed:
        changed.drop_constraint(NAME, type_="primary")
        changed.create_primary_key(NAME, KEY)
    _change_what_waits(lambda waits: sorted({event for part in waits.values() for event in part}))


def _change_what_waits(change: Callable[[Any], Any]) -> None:
    """The ids of events that wait stand beside what is known of their order."""
    dossiers = sa.table("dossiers", *map(sa.column, ("source", "order_ref", "said")))
    rows = op.get_bind().execute(sa.select(dossiers)).all()
    for source, ref, kept in rows:
        known = json.loads(kept)
        said = json.dumps({**known, "waits": change(known["waits"])}, sort_keys=True)
        this = sa.and_(dossiers.c.source == source, dossiers.c.order_ref == ref)
        op.execute(sa.update(dossiers).where(this).values(said=said))
