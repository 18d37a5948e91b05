"""The funnel: visitors at its stages, and what happened to their checkouts.

What ends a checkout closes a transaction: those of the customers concerned are derived anew.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from engine.facts.bulk import Values
from engine.facts.columns import Column, plain
from engine.facts.identity import lock_customers
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome, refuse_nobody
from engine.facts.importers.keyed import Keyed, land_keyed
from engine.facts.model import FunnelRow, Place
from engine.facts.refusal import Refused
from engine.facts.transactions import COMPLETED, RELEASED, derive_transactions, write_sides
from engine.facts.values.words import choice, text
from engine.store.tables import funnel_events

OFFERS = ("offer_shown", "offer_accepted", "offer_refused")
CHECKOUTS = ("checkout_started", COMPLETED, RELEASED)
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


def _derive(connection: Connection, keys: Collection[Values], landing: Landing) -> None:
    ended = {customer for customer, what, *_ in keys if what in (COMPLETED, RELEASED)}
    if ended:
        lock_customers(connection, ended)
        write_sides(connection, derive_transactions(connection, ended, landing.window))


FACTS = Keyed(funnel_events, key=5, derive=_derive)  # what, stage, sku, at, checkout_id


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
