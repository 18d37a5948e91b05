"""Consumption: a product, or a unit of it, started, progressed or completed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from engine.facts.columns import Column, plain
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome, refuse_nobody
from engine.facts.importers.keyed import Keyed, land_keyed
from engine.facts.model import ConsumptionRow, Place
from engine.facts.values.numbers import percent
from engine.facts.values.words import choice, text
from engine.store.tables import consumption

COLUMNS = (
    *PERSON,
    Column("sku", plain(text(80)), required=True),
    Column("unit", plain(text(200))),
    Column("kind", plain(choice("started", "progressed", "completed")), required=True),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("progress", plain(percent), blank=None),
)
FACTS = Keyed(consumption, key=4)  # sku, unit, kind, at


def _row(values: Sequence[Any], place: Place, _: bool) -> ConsumptionRow:  # noqa: FBT001 - no credits here
    row = ConsumptionRow._make((*values, place))
    refuse_nobody(row)
    return row


def _land(connection: Connection, rows: Sequence[ConsumptionRow], landing: Landing) -> Outcome:
    return land_keyed(connection, rows, landing, FACTS)


CONSUMPTION = Importer("consumption", COLUMNS, _row, ConsumptionRow._make, _land, sku=lambda row: row.sku)
