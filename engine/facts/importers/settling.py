"""The end of every landing: merges, the report on identities, and the queue of those whose facts changed."""

from collections.abc import Iterable

from sqlalchemy import Connection

from engine.facts.changes import note_changes
from engine.facts.identity import People
from engine.facts.importers.importer import Landing, Outcome
from engine.facts.merging import merge


def settle(
    connection: Connection, people: People, touched: Iterable[int], landing: Landing, outcome: Outcome
) -> Outcome:
    """Close the landing of a chunk in which the facts of the `touched` were written."""
    changed = {*touched, *merge(connection, people.merged, landing.window, landing.now)}
    note_changes(connection, changed - people.merged.keys(), landing.ids)
    outcome.merges, outcome.conflicts = people.merges, people.conflicts
    return outcome
