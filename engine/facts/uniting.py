"""The runs of two people who are one: through each campaign the furthest goes on, and no other.

Runs so far stay with their decisions, numbered behind those of the known customer, so that the mails of
both keep their keys and the count of runs is that of both. Of those under way only one may go on: whoever
has more steps behind them; of equals who is through, and then the known customer. The others end here.
A step that was passed over for want of an address is none, and a run of such steps alone ends no other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, select, update

from engine.facts.bulk import as_kept
from engine.store.dialect import insert_ignoring
from engine.store.tables import decisions, enrollments, membership, messages

RUNS = (membership, enrollments, decisions)
MERGED = "merged"  # why a run ended that does not go on
HELD, NO_ADDRESS = "hold", "no_address"  # verdict and reason of what is no step behind anybody
Row = Mapping[str, Any]
Way = tuple[int, str]  # one person's through one campaign


def unite_runs(connection: Connection, merged: Mapping[int, int], now: datetime) -> None:
    """Give the runs of each anonymous customer to the known one."""
    rows = {table: _rows(connection, table, {*merged, *merged.values()}) for table in RUNS}
    begun = _begun([*rows[membership], *rows[enrollments]])
    met = set()
    for owner, known in sorted(merged.items()):
        for table in RUNS:
            theirs = [row for row in rows[table] if row["customer_id"] == owner]
            insert_ignoring(connection, table, [_given(row, known, begun) for row in theirs])
        for _, campaign_id in [way for way in begun if way[0] == owner]:
            if begun[known, campaign_id]:
                met.add((known, campaign_id))
            begun[known, campaign_id] += begun[owner, campaign_id]
    for known, campaign_id in sorted(met):
        _keep_inside(connection, rows[membership], merged, (known, campaign_id), begun)
        _let_the_furthest_go_on(connection, (known, campaign_id), now)


def _rows(connection: Connection, table: Table, customer_ids: Iterable[int]) -> Sequence[Row]:
    columns = [as_kept(column).label(column.name) for column in table.columns]
    asked = select(*columns).where(table.c.customer_id.in_(customer_ids))
    return [dict(row) for row in connection.execute(asked).mappings()]


def _begun(rows: Iterable[Row]) -> Counter[Way]:
    """How many runs each has begun."""
    found: Counter[Way] = Counter()
    for row in rows:
        way = (row["customer_id"], row["campaign_id"])
        found[way] = max(found[way], row["spell"])
    return found


def _given(row: Row, known: int, begun: Counter[Way]) -> Row:
    spell = begun[known, row["campaign_id"]] + row["spell"]
    return {**row, "customer_id": known, "spell": spell}


def _keep_inside(
    connection: Connection, members: Sequence[Row], merged: Mapping[int, int], way: Way, begun: Counter[Way]
) -> None:
    """Who was inside under either name is inside, and does not enter anew."""
    known, campaign_id = way
    both = [m for m in members if (merged.get(m["customer_id"], m["customer_id"]), m["campaign_id"]) == way]
    inside = any(member["inside"] for member in both)
    this = and_(membership.c.customer_id == known, membership.c.campaign_id == campaign_id)
    connection.execute(update(membership).where(this).values(spell=begun[way], inside=inside))


def _let_the_furthest_go_on(connection: Connection, way: Way, now: datetime) -> None:
    known, campaign_id = way
    theirs = [row for row in _rows(connection, decisions, [known]) if row["campaign_id"] == campaign_id]
    decided = Counter(
        row["spell"] for row in theirs if row["verdict"] != HELD and row["reason"] != NO_ADDRESS
    )
    in_vain = {row["spell"] for row in theirs if row["reason"] == NO_ADDRESS} - decided.keys()

    def how_far(run: Row) -> tuple[bool, int, bool, int]:
        spell = run["spell"]
        return spell not in in_vain, decided[spell], run["status"] != "active", -spell

    runs = [row for row in _rows(connection, enrollments, [known]) if row["campaign_id"] == campaign_id]
    runs.sort(key=how_far)
    for run in runs[:-1]:
        if run["status"] == "active":
            _end(connection, run, now)


def _end(connection: Connection, run: Row, now: datetime) -> None:
    """End it, and what it has planned does not leave."""
    for table, status, values in (
        (enrollments, "active", {"status": "exited", "exit_reason": MERGED, "updated_at": now}),
        (messages, "scheduled", {"status": "cancelled", "error": f"not sent: {MERGED}", "settled_at": now}),
    ):
        same = (table.c[name] == run[name] for name in ("customer_id", "campaign_id", "spell"))
        connection.execute(update(table).where(*same, table.c.status == status).values(values))
