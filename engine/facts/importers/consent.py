"""Consent: a person's yes or no to a topic, with its basis, its source and its time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from engine.facts.columns import Column, plain
from engine.facts.importers.importer import PERSON, Importer, Landing, Outcome, refuse_nobody
from engine.facts.importers.keyed import Keyed, land_keyed
from engine.facts.model import ConsentRow, Place
from engine.facts.values.words import flag, text
from engine.store.tables import consents

COLUMNS = (
    *PERSON,
    Column("topic", plain(text(60)), blank="marketing"),
    Column("at", lambda manner: manner.instants, required=True, instant=True),
    Column("granted", plain(flag), required=True),
    Column("basis", plain(text(60))),
    Column("source", plain(text(200))),
)
FACTS = Keyed(consents, key=3)  # topic, at, granted


def _row(values: Sequence[Any], place: Place, _: bool) -> ConsentRow:  # noqa: FBT001 - no credits here
    row = ConsentRow._make((*values, place))
    refuse_nobody(row)
    return row


def _land(connection: Connection, rows: Sequence[ConsentRow], landing: Landing) -> Outcome:
    return land_keyed(connection, rows, landing, FACTS)


CONSENT = Importer("consent", COLUMNS, _row, ConsentRow._make, _land)
