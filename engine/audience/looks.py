"""What the last look at each audience saw: when it was, and by which rule.

A look rests on the one before only where nothing but facts and the time has changed since. The
digest of a campaign covers all else that its audience and goal depend on: their rules with the
segments they name, the catalogue, the settings.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.dialects import sqlite

from engine.campaigns.model import FRONT_END, Campaign
from engine.rules.model import Scope
from engine.rules.people import people
from engine.store.dialect import upsert

EVERY = ""  # the row that stands for the plan as a whole
# A rule's SQL tells all that it rests on. An absolute `since` shows in what is asked long ago, an
# `until` in what is asked in a far future; elsewhere `within` or `older_than` may hide them.
LONG_AGO, FAR_AHEAD = datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


def digest(campaign: Campaign, scope: Scope) -> str:
    """16 hexadecimal digits that differ where the answers may differ on the same facts at the same time."""
    asked = [
        part
        for now in (LONG_AGO, FAR_AHEAD)
        for rule in filter(None, (campaign.audience, campaign.goal))
        for part in _as_sql(people(rule, scope.at(now)))
    ]
    of_track = [campaign.track] if campaign.track == FRONT_END else []  # who ends there is asked of it, too
    begins = ["on"] if campaign.on else []  # without it, whoever is inside may begin
    told = "\n".join([*asked, repr(campaign.enter), *of_track, *begins])
    return sha256(told.encode()).hexdigest()[:16]


def _as_sql(statement: object) -> Sequence[str]:
    compiled = statement.compile(dialect=sqlite.dialect())  # type: ignore[attr-defined]  # any select
    return str(compiled), repr(sorted(compiled.params.items()))


def still_good(
    connection: Connection, looks: Table, digests: Mapping[str, str], now: datetime
) -> Mapping[str, datetime]:
    """The instant of the last look of each campaign that this look may rest on."""
    rows = connection.execute(select(looks.c.campaign_id, looks.c.rule, looks.c.at))
    return {
        row.campaign_id: row.at for row in rows if digests.get(row.campaign_id) == row.rule and row.at <= now
    }


def last_at(connection: Connection, looks: Table) -> datetime | None:
    """The instant of the last plan that was kept."""
    at: datetime | None = connection.scalar(select(func.max(looks.c.at, type_=looks.c.at.type)))
    return at


def retimed(connection: Connection, looks: Table, timings: Mapping[str, str]) -> list[str]:
    """The campaigns whose mails may go at other times than at the last look."""
    rows = connection.execute(select(looks.c.campaign_id, looks.c.timing))
    return [row.campaign_id for row in rows if timings.get(row.campaign_id, row.timing) != row.timing]


def record(
    connection: Connection,
    looks: Table,
    digests: Mapping[str, str],
    timings: Mapping[str, str],
    now: datetime,
) -> None:
    """This look is the last one now. A campaign that took no part in it has missed changes for good."""
    connection.execute(delete(looks).where(looks.c.campaign_id.not_in([*digests, EVERY])))
    told = [(name, rule, timings[name]) for name, rule in digests.items()]
    upsert(
        connection,
        looks,
        [
            {"campaign_id": name, "rule": rule, "timing": timing, "at": now}
            for name, rule, timing in (*told, (EVERY, "", ""))
        ],
    )
