"""A look at every audience: over everybody where it must be, else over the candidates."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Table

from engine.audience import candidates, looks
from engine.audience.judged import EVERYBODY
from engine.audience.questions import Questions
from engine.store.dialect import one_by_one


def look_at_one(connection: Connection, asked: Questions, now: datetime, customer_id: int) -> None:
    """Judge one customer by every audience."""
    asked.ask_at(now, now)
    candidates.be_only(connection, customer_id)
    candidates.sift(connection, asked)
    for statement in asked.candidates:
        connection.execute(statement)


def look(
    connection: Connection,
    asked: Questions,
    digests: Mapping[str, str],
    now: datetime,
    before: tuple[Table, Table],
) -> None:
    """Judge those whose answer may have changed since the last look, by the queue or by the time.

    `before` are the looks and the change queue. A campaign that had no last look, or whose rule is
    another one now, judges everybody; all do after the clock went back, and where nearly everybody
    would have to be looked up one by one.
    """
    last, changes = before
    since = looks.still_good(connection, last, digests, now)
    candidates.take_changes(connection, changes)
    if since:
        asked.ask_at(now, min(since.values()))
        candidates.note_time(connection, asked)
        since = {} if candidates.are_many(connection, len(asked.campaigns)) else since
    asked.ask_at(now, now)
    candidates.sift(connection, asked)
    passed = candidates.passed_in(connection)
    few = [n for n, campaign in enumerate(asked.campaigns) if campaign.id in since]
    with one_by_one(connection):
        for n in few:
            connection.execute(asked.candidates[n])
            if asked.campaigns[n].id in passed:
                connection.execute(asked.passers[n])
    for n, campaign in enumerate(asked.campaigns):
        if campaign.id not in since:
            connection.execute(EVERYBODY.insert(), {"campaign_id": campaign.id})
            connection.execute(asked.everybody[n])
