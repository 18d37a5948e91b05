"""The funnel: visitors at its stages, and what happened to their checkouts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from engine.facts.columns import Column, plain
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome, refuse_nobody
from engine.facts.importers.keyed import Keyed, land_keyed
from engine.facts.model import FunnelRow, Place
from engine.facts.refusal import Refused
from engine.facts.values.words import choice, text
from engine.store.tables import funnel_events

OFFERS = ("offer_shown", "offer_accepted", "offer_refused")
CHECKOUTS = ("checkout_started", "completed", "released")
DEVICES = ("desktop", "mobile", "tablet", "other", "bot")
COLUMNS = (
    *PERSON,
    Column("what", plain(choice("visited", *CHECKOUTS, *OFFERS)), required=True),
    Column("stage", plain(text(60))),
    Column("sku", plain(text(80))),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("checkout_id", plain(text(200))),
    *(Column(name, plain(text(200))) for name in ("source", "medium", "campaign", "ad")),
    Column("device", plain(choice(*DEVICES))),
)
FACTS = Keyed(funnel_events, key=4)  # what, stage, sku, at


def _row(values: Sequence[Any], place: Place, _: bool) -> FunnelRow:  # noqa: FBT001 - no credits here
    row = FunnelRow._make((*values, place))
    refuse_nobody(row)
    if row.what == "visited" and not row.stage:
        raise Refused("stage is blank, and a visit is of a stage")
    if row.what in OFFERS and not row.sku:
        raise Refused("sku is blank, and an offer is of a product")
    return row


def _land(connection: Connection, rows: Sequence[FunnelRow], landing: Landing) -> Outcome:
    return land_keyed(connection, rows, landing, FACTS)


FUNNEL = Importer("funnel", COLUMNS, _row, FunnelRow._make, _land, sku=lambda row: row.sku)
