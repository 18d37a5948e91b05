"""The versions of campaigns' files: kept when a run first uses one, told beside the mails made from it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from engine.planning.book import Book
from engine.store.dialect import insert_ignoring
from engine.store.tables import campaign_versions


def record_versions(connection: Connection, book: Book, now: datetime) -> None:
    """Keep each campaign's definition under its version, once."""
    rows = [
        {"campaign_id": c.id, "version": c.version, "first_used_at": now, "definition": c.definition}
        for c in book.campaigns
    ]
    insert_ignoring(connection, campaign_versions, rows)


def versions_of(connection: Connection, campaign_id: str) -> Mapping[str, datetime]:
    """Since when each version has been in force, the oldest first."""
    table = campaign_versions.c
    asked = select(table.version, table.first_used_at).where(table.campaign_id == campaign_id)
    return {row[0]: row[1] for row in connection.execute(asked.order_by(table.first_used_at))}


def steps_of_versions(connection: Connection, campaign_id: str) -> Iterator[Sequence[str]]:
    """The ids of the steps of each version, in their order, the newest version first."""
    table = campaign_versions.c
    asked = select(table.definition).where(table.campaign_id == campaign_id)
    for definition in connection.scalars(asked.order_by(table.first_used_at.desc())):
        yield [str(step.get("was") or step["id"]) for step in json.loads(definition)["steps"]]
