"""Where dossiers are kept: one for each order that a source told something of."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from engine.clock import EPOCH
from engine.facts.batches import batched
from engine.facts.receiving.dossier import Dossier, Key
from engine.store.dialect import insert_ignoring, upsert
from engine.store.tables import dossiers


def load(connection: Connection, keys: Iterable[Key], home: str) -> dict[Key, Dossier]:
    """The dossiers of these orders, held until the transaction ends; new ones where there are none yet."""
    found = {key: Dossier(*key, home) for key in keys}
    insert_ignoring(connection, dossiers, [_row(each, EPOCH) for _, each in sorted(found.items())])
    table = dossiers.c
    for source in sorted({source for source, _ in found}):
        for refs in batched(sorted(ref for of, ref in found if of == source)):
            asked = select(table.order_ref, table.said).where(table.source == source)
            theirs = asked.where(table.order_ref.in_(refs)).order_by(table.order_ref)
            for ref, said in connection.execute(theirs.with_for_update()):
                kept = json.loads(said)
                found[source, ref] = Dossier(source, ref, home, kept["said"], kept["waits"])
    return found


def save(connection: Connection, files: Mapping[Key, Dossier], now: datetime) -> None:
    """Write them down, in order of their keys."""
    upsert(connection, dossiers, [_row(each, now) for _, each in sorted(files.items())])


def forget(connection: Connection, keys: Iterable[Key]) -> None:
    """Keep none of these: they are of people who were erased."""
    for source, ref in sorted(keys):
        theirs = (dossiers.c.source == source, dossiers.c.order_ref == ref)
        connection.execute(delete(dossiers).where(*theirs))


def _row(dossier: Dossier, now: datetime) -> dict[str, Any]:
    said = json.dumps({"said": dossier.said, "waits": dossier.waits}, sort_keys=True)
    return {"source": dossier.source, "order_ref": dossier.ref, "said": said, "recorded_at": now}
