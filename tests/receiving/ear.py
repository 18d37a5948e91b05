"""What a test tells as a source does, and the facts that came of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from sqlalchemy import delete, select

from engine.facts.receiving import inbound
from engine.facts.receiving.landing import Received, land_events
from engine.settings.model import Settings
from engine.store import tables
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.tables import metadata
from tests.conftest import NOW

FACTS = (
    *("customers", "identities", "attributes", "consents", "orders", "order_lines", "refunds"),
    *("consumption", "subscriptions", "funnel_events", "transactions"),
)
NOT_COMPARED = {"customer_id", "recorded_at", "lot", "digest"}


@dataclass
class Ear:
    """Keeps what is told, and takes it up."""

    store: Store
    settings: Settings = field(default_factory=Settings)
    ids: IdFactory = field(default_factory=lambda: IdFactory(seed=1))
    heard_at: datetime = NOW + timedelta(days=1)  # so that all that tests tell has happened by then

    def hear(self, source: str, events: Iterable[tuple[Any, Any]], at: datetime | None = None) -> None:
        inbound.keep_events(self.store, source, events, at or self.heard_at)

    def take_up(self, size: int = 500) -> Received:
        return land_events(self.store, self.settings, self.ids, NOW, size=size)

    def tell(self, source: str, *events: Any) -> Received:
        """Each event with its own id, and taken up at once."""
        self.hear(source, [(_id(event), event) for event in events])
        return self.take_up()

    def rows(self, table: str, *names: str) -> list[Any]:
        columns = [metadata.tables[table].c[name] for name in names]
        with self.store.reading() as connection:
            return sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)

    def verdicts(self) -> list[tuple[str, str | None]]:
        return [tuple(row) for row in self.rows("inbound", "outcome", "error")]

    def facts(self) -> dict[str, Any]:
        """All that is known, customers by their names and not by their numbers."""
        with self.store.reading() as connection:
            found = {
                name: connection.execute(select(metadata.tables[name])).mappings().all() for name in FACTS
            }
        names: dict[int, str] = {}
        for row in sorted(found["identities"], key=lambda row: (row["kind"], row["value"])):
            names[row["customer_id"]] = f"{names.get(row['customer_id'], '')} {row['value']}"
        return {
            table: sorted(
                repr((names.get(row["customer_id"]), {k: v for k, v in row.items() if k not in NOT_COMPARED}))
                for row in rows
            )
            for table, rows in found.items()
        }

    def forget(self) -> None:
        with self.store.writing() as connection:
            for table in (
                *FACTS,
                "inbound",
                "dossiers",
                "meanings",
                "contact_state",
                "changes",
                "customer_aliases",
            ):
                connection.execute(delete(metadata.tables[table]))


def _id(event: Any) -> Any:
    return (event.get("messageId") or event.get("id")) if isinstance(event, dict) else None


def message(kind: str, minutes: float = 0, **said: Any) -> dict[str, Any]:
    """A Segment message, so many minutes after NOW."""
    at = (NOW + timedelta(minutes=minutes)).isoformat()
    told = {"type": kind, "userId": "u1", "timestamp": at, **said}
    return {"messageId": f"m-{crc32(json.dumps(told, sort_keys=True).encode()):x}", **told}


def track(event: str, minutes: float = 0, who: str = "u1", **properties: Any) -> dict[str, Any]:
    return message("track", minutes, event=event, userId=who, properties=properties)


__all__ = ["NOW", "Ear", "message", "tables", "track"]
