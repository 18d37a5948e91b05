"""A person's own word on topics: what they get as things stand, and a yes or no that changes it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, exists, select

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
    """Write down a yes or no to each topic; which topics that changed. The same word again is none.

    A no overrules every yes that is on record by then. To one that an import dated later it is said at that
    instant as well, where a no wins.
    """
    before = words(connection, customer_id, now)
    wanted = dict(said)
    news = [(topic, now) for topic, granted in wanted.items() if before.get(topic) is not granted]
    unwanted = {topic for topic, granted in wanted.items() if not granted}
    news += _later_yeses(connection, customer_id, unwanted, now)
    rows = [
        {
            "customer_id": customer_id,
            "topic": topic,
            "at": at,
            "granted": wanted[topic],
            "basis": "consent" if wanted[topic] else "objection",
            "source": source,
            "recorded_at": now,
        }
        for topic, at in sorted(news)
    ]
    insert_ignoring(connection, consents, rows)
    if rows:
        note_changes(connection, [customer_id], IdFactory())
    return sorted({topic for topic, _ in news})


def _later_yeses(
    connection: Connection, customer_id: int, topics: Iterable[str], now: datetime
) -> Iterator[tuple[str, datetime]]:
    """Those on record to which no was said in the same instant yet."""
    yes, no = consents.alias("yes"), consents.alias("no")
    answered = exists().where(
        no.c.customer_id == yes.c.customer_id, no.c.topic == yes.c.topic, no.c.at == yes.c.at, ~no.c.granted
    )
    theirs = (yes.c.customer_id == customer_id, yes.c.topic.in_(sorted(topics)), yes.c.granted)
    asked = select(yes.c.topic, yes.c.at).where(*theirs, yes.c.at > now, ~answered)
    yield from ((row[0], row[1]) for row in connection.execute(asked))
