"""export customer: everything stored of one person, as they may ask for it."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from engine.app.hearing import drain_whole
from engine.app.person import known
from engine.app.project import Project
from engine.app.told_of import events_of, orders_of
from engine.errors import UnknownCustomer
from engine.facts.suppression import address_hash
from engine.store.tables import customer_aliases, lifts, listed_elsewhere, metadata, suppressions

BY_HASH = (suppressions, lifts, listed_elsewhere)


def everything_of(project: Project, named: str) -> dict[str, Any]:
    """By table, and the files of mails that were written. Raises UnknownCustomer, StoreError."""
    drain_whole(project)
    person = known(project, named)
    if person is None:
        msg = f"{named!r} was erased: nothing is stored but that"
        raise UnknownCustomer(msg)
    told: dict[str, Any] = {"names": [{"kind": kind, "value": value} for kind, value in person.names]}
    with project.store.reading() as connection:
        for table in metadata.sorted_tables:
            if "customer_id" in table.c:
                told[table.name] = _rows(connection, table, person.ids)
        hashes = [address_hash(address) for address in person.addresses]
        for table in BY_HASH:
            theirs = select(table).where(table.c.address_hash.in_(hashes)).order_by(*table.primary_key)
            told[table.name] = [dict(row) for row in connection.execute(theirs).mappings()]
        told["inbound"] = list(events_of(connection, person))
        told["dossiers"] = list(orders_of(connection, person))
    mails = project.folder / project.settings.delivery.folder / "mails"
    ids = [row["message_id"] for row in told["messages"] if row["message_id"]]
    told["files"] = sorted(str(f.relative_to(project.folder)) for i in ids for f in mails.glob(f"*/{i}.eml"))
    return told


def _rows(connection: Connection, table: Table, ids: tuple[int, ...]) -> list[dict[str, Any]]:
    theirs: ColumnElement[bool] = table.c.customer_id.in_(ids)
    if table is customer_aliases:
        theirs = or_(theirs, table.c.merged_into.in_(ids))
    found = connection.execute(select(table).where(theirs).order_by(*table.primary_key)).mappings()
    return [_told(dict(row)) for row in found]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """The row; the facts behind claims as such, not as text."""
    return row | {"evidence": json.loads(row["evidence"])} if row.get("evidence") else row
