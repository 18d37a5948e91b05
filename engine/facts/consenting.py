"""A person's own word on topics: what they get as things stand, and a yes or no that changes it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from engine.facts.changes import note_changes
from engine.store.dialect import insert_ignoring
from engine.store.ids import IdFactory
from engine.store.tables import consents


def words(connection: Connection, customer_id: int, now: datetime) -> dict[str, bool]:
    """The customer's last word on each topic that they ever said one on; a no wins in the same instant."""
    table = consents.c
    asked = select(table.topic, table.granted).where(table.customer_id == customer_id, table.at <= now)
    latest_last = asked.order_by(table.at, table.granted.desc())
    return {topic: granted for topic, granted in connection.execute(latest_last)}  # noqa: C416 - pairs


def say(
    connection: Connection, customer_id: int, said: Iterable[tuple[str, bool]], source: str, now: datetime
) -> list[str]:
    """Write down a yes or no to each topic; which topics that changed. The same word again is none."""
    before = words(connection, customer_id, now)
    news = {topic: granted for topic, granted in said if before.get(topic) is not granted}
    rows = [
        {
            "customer_id": customer_id,
            "topic": topic,
            "at": now,
            "granted": granted,
            "basis": "consent" if granted else "objection",
            "source": source,
            "recorded_at": now,
        }
        for topic, granted in sorted(news.items())
    ]
    insert_ignoring(connection, consents, rows)
    if rows:
        note_changes(connection, [customer_id], IdFactory())
    return sorted(news)
