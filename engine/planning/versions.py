"""The versions of campaigns' files: kept when a run first uses one, told beside the mails made from it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from engine.planning.book import Book
from engine.store.dialect import insert_ignoring
from engine.store.tables import campaign_versions


def record_versions(connection: Connection, book: Book, now: datetime) -> None:
    """Keep each campaign's definition under its version, once; and which one was taken last."""
    before = _in_force(connection)
    taken = [campaign for campaign in book.campaigns if before.get(campaign.id) != campaign.version]
    rows = [
        {
            "campaign_id": each.id,
            "version": each.version,
            "first_used_at": now,
            "last_taken_at": now,
            "definition": each.definition,
        }
        for each in taken
    ]
    insert_ignoring(connection, campaign_versions, rows)
    version = campaign_versions.c
    for each in taken:
        this = update(campaign_versions).where(
            version.campaign_id == each.id, version.version == each.version
        )
        connection.execute(this.values(last_taken_at=now))


def _in_force(connection: Connection) -> Mapping[str, str]:
    """The version of each campaign that was taken last."""
    version = campaign_versions.c
    asked = select(version.campaign_id, version.version).order_by(version.last_taken_at)
    return {row[0]: row[1] for row in connection.execute(asked)}


def versions_of(connection: Connection, campaign_id: str) -> Mapping[str, datetime]:
    """Since when each version has been in force, the oldest first."""
    table = campaign_versions.c
    asked = select(table.version, table.first_used_at).where(table.campaign_id == campaign_id)
    return {row[0]: row[1] for row in connection.execute(asked.order_by(table.first_used_at))}


def steps_of_versions(connection: Connection, campaign_id: str) -> Iterator[Sequence[str]]:
    """The ids of the steps of each version, in their order, the version taken last first."""
    table = campaign_versions.c
    asked = select(table.definition).where(table.campaign_id == campaign_id)
    for definition in connection.scalars(asked.order_by(table.last_taken_at.desc())):
        yield [str(step.get("was") or step["id"]) for step in json.loads(definition)["steps"]]
