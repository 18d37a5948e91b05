"""What an earlier run left unknown, resolved by looking it up; what cannot be told stays and is shown."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select

from engine.delivery.rows import ATTEMPT, Attempt, apply, attempts, change_row, stands
from engine.delivery.states import FINAL, Status, move
from engine.delivery.transports.base import Trace, Transport
from engine.facts.changes import note_changes
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.tables import messages

PAGE = 500


def reconcile(store: Store, transport: Transport, now: datetime) -> int:
    """Look up every unknown mail of this transport; returns how many turned out to have left.

    One that is certainly missing is scheduled again, but only where no mail can leave twice: its
    last owner may be frozen rather than dead.
    """
    found = 0
    for page in _pages(store, transport.name):
        traces = {attempt: transport.look_up(attempt.key.message_id, attempt.planned_at) for attempt in page}
        transport.flush()
        found += _resolve(store, _with(traces, Trace.FOUND), Status.ACCEPTED, now)
        if transport.exactly_once:
            _resolve(store, _with(traces, Trace.MISSING), Status.SCHEDULED, now)
    return found


def _pages(store: Store, transport: str) -> Iterator[list[Attempt]]:
    page = _page(store, transport, "")
    while page:
        yield page
        page = _page(store, transport, page[-1].key.message_id)


def _page(store: Store, transport: str, after: str) -> list[Attempt]:
    rows = select(*ATTEMPT).where(
        stands(Status.UNKNOWN), messages.c.transport == transport, messages.c.message_id > after
    )
    with store.reading() as connection:
        return attempts(connection.execute(rows.order_by(messages.c.message_id).limit(PAGE)))


def _resolve(store: Store, resolved: Sequence[Attempt], target: Status, now: datetime) -> int:
    """Those that are unknown still go there; returns how many."""
    _, status = move(Status.UNKNOWN, target)
    settled = now if target in FINAL else None
    change = change_row(stands(Status.UNKNOWN)).values(status=status, error=None, settled_at=settled)
    if target is Status.SCHEDULED:
        change = change.values(due_at=now)  # and is decided anew: much may have happened since
    with store.writing() as connection:
        if target is Status.ACCEPTED:
            note_changes(connection, (attempt.key.customer_id for attempt in resolved), IdFactory())
        return apply(connection, change, {attempt: {} for attempt in resolved})


def _with(traces: dict[Attempt, Trace], trace: Trace) -> list[Attempt]:
    return [attempt for attempt, found in traces.items() if found is trace]
