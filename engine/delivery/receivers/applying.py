"""Takes up what providers told, batch by batch, and decides from all that is known.

The events of a mail are only ever added, each once; what follows from them is worked out anew from all of
them. So the end is the same in whatever order, parts and repetitions they come. What cannot be read is
parked by itself.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from engine.delivery.receivers import sendgrid, smtp
from engine.delivery.receivers.evidence import settle, settle_told
from engine.delivery.receivers.heard import Heard
from engine.delivery.receivers.ours import Files, Place
from engine.delivery.receivers.standing import DECISIVE, stop_mailing
from engine.delivery.states import Status
from engine.facts.batches import batched
from engine.facts.changes import note_changes
from engine.facts.identity import lock_customers
from engine.facts.mail_events import ENGAGED, LEFT, Kind
from engine.facts.receiving.inbound import APPLIED, IGNORED, PARKED, Told, Verdict
from engine.facts.receiving.saying import NotUnderstood
from engine.facts.receiving.taking_up import BATCH, UNKNOWN_KIND, Work, take_up
from engine.facts.suppression import address_hash
from engine.store.connect import Store
from engine.store.dialect import insert_ignoring
from engine.store.ids import IdFactory
from engine.store.tables import customers, inbound, mail_events

READERS: Mapping[str, Callable[[Any, datetime], Heard | None]] = {
    sendgrid.SOURCE: sendgrid.heard,
    smtp.SOURCE: smtp.heard,
}
NAMELESS = {"detail": "", "address_hash": ""}
NOBODYS = "of no mail of ours"


@dataclass(frozen=True)
class Applied:
    """What became of all that waited, in events, and of mails of unknown fate."""

    applied: int = 0
    ignored: int = 0
    parked: int = 0
    accepted: int = 0
    rejected: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)

    def __bool__(self) -> bool:
        return self != Applied()

    def __str__(self) -> str:
        told = [f"{number:,} {name}" for name, number in asdict(self).items() if number]
        return f"told by the provider: {', '.join(told)}"


def apply_events(
    store: Store,
    soft_bounces: int,
    now: datetime,
    *,
    size: int = BATCH,
    stop: Callable[[], bool] = lambda: False,
) -> Applied:
    """Take up all that waits, in batches of that size, until `stop` says to end."""

    def apply(connection: Connection, batch: Sequence[Told]) -> dict[Told, Verdict]:
        return _apply(connection, batch, soft_bounces, now)

    made = take_up(Work(store, READERS, apply, size), now, stop)
    settled = settle(store, now)
    return Applied(
        made[APPLIED],
        made[IGNORED],
        made[PARKED],
        settled.get(Status.ACCEPTED, 0),
        settled.get(Status.REJECTED, 0),
    )


def _apply(
    connection: Connection, batch: Sequence[Told], soft_bounces: int, now: datetime
) -> dict[Told, Verdict]:
    verdicts: dict[Told, Verdict] = {}
    events: dict[Told, Heard] = {}
    for told in batch:
        read = _read(told)
        if isinstance(read, Verdict):
            verdicts[told] = read
        else:
            events[told] = read
    placed = _placed(connection, events)
    verdicts |= {told: Verdict(IGNORED, NOBODYS) for told in events if told not in placed}
    verdicts |= dict.fromkeys(placed, Verdict(APPLIED))
    forgotten = _of_nobody(connection, placed)
    rows = [_row(t, events[t], placed[t], now) | (NAMELESS if t in forgotten else {}) for t in sorted(placed)]
    insert_ignoring(connection, mail_events, rows)
    for told in forgotten:
        its = (inbound.c.source == told.source, inbound.c.event_id == told.event_id)
        connection.execute(update(inbound).where(*its).values(body=""))
    _draw_conclusions(connection, events, placed, soft_bounces)
    settle_told(connection, _mails(events, placed, LEFT), _mails(events, placed, (Kind.DROPPED,)), now)
    return verdicts


def _mails(events: Mapping[Told, Heard], placed: Mapping[Told, Place], kinds: Collection[Kind]) -> set[str]:
    """Those of which one of these things was told."""
    return {place.message_id for told, place in placed.items() if events[told].kind in kinds} - {""}


def _read(told: Told) -> Heard | Verdict:
    try:
        event = READERS[told.source](json.loads(told.body), told.received_at)
    except NotUnderstood as error:
        return Verdict(PARKED, str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the events behind it are waited for
        return Verdict(PARKED, f"it cannot be read: {type(error).__name__}")
    return event or Verdict(IGNORED, UNKNOWN_KIND)


def _placed(connection: Connection, events: Mapping[Told, Heard]) -> dict[Told, Place]:
    """Whose they are; nobody merges these customers into others until the end."""
    first = Files(connection, events.values()).places(events)
    lock_customers(connection, {place.customer_id for place in first.values()})
    return Files(connection, events.values()).places(events)


def _of_nobody(connection: Connection, placed: Mapping[Told, Place]) -> set[Told]:
    """What was told of mails to people who have been erased since: that it happened is kept, and no more."""
    known: set[int] = set()
    for ids in batched(sorted({place.customer_id for place in placed.values()})):
        there = select(customers.c.customer_id).where(customers.c.customer_id.in_(ids))
        known |= set(connection.scalars(there))
    return {told for told, place in placed.items() if place.customer_id not in known}


def _row(told: Told, event: Heard, place: Place, now: datetime) -> dict[str, Any]:
    return {
        "customer_id": place.customer_id,
        "source": told.source,
        "event_id": told.event_id,
        "kind": event.kind.value,
        "at": event.at,
        "message_id": place.message_id,
        "campaign_id": place.campaign_id,
        "step_id": place.step_id,
        "attempt": event.attempt,
        "machine": event.machine,
        "address_hash": address_hash(place.address) if place.address else "",
        "detail": event.detail,
        "recorded_at": now,
    }


def _draw_conclusions(
    connection: Connection, events: Mapping[Told, Heard], placed: Mapping[Told, Place], soft_bounces: int
) -> None:
    """Rules are asked anew about who opened or clicked, and addresses judged of which it matters."""
    engaged = {place.customer_id for told, place in placed.items() if events[told].kind in ENGAGED}
    note_changes(connection, engaged, IdFactory())
    decided = {place.customer_id for told, place in placed.items() if events[told].kind in DECISIVE}
    stop_mailing(connection, decided, soft_bounces)
