"""What a reader of a mail wishes through its link: one topic less, none at all, or these and no others.

A wish holds from the moment it is acknowledged. Where another writer holds the database, it is spooled, and
carried out as soon as that ends; until then nothing leaves to its reader.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import count
from secrets import token_hex
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from engine.clock import to_micros
from engine.errors import StoreLocked
from engine.facts.batches import batched
from engine.facts.consenting import say
from engine.facts.identity import lock_customers
from engine.facts.lookup import as_known_now
from engine.facts.receiving.draining import Drained, drain
from engine.facts.receiving.inbound import APPLIED, IGNORED, PARKED, Told, Verdict, mark, waiting
from engine.facts.receiving.spool import Tray
from engine.facts.suppression import UNSUBSCRIBED, address_hash, lift, suppress
from engine.store.connect import Store
from engine.store.tables import customers, inbound, messages

SOURCE = "reader"  # as it is kept
ONE_CLICK, PAGE = "one click", "preference page"  # as consent is recorded
PATIENCE = 1_000  # milliseconds that another writer is waited for
MOST = 10_000  # at a time
_numbers = count()


class How(StrEnum):
    """What was pressed."""

    CLICK = "click"
    ALL = "all"
    TOPICS = "topics"


@dataclass(frozen=True)
class Wish:
    """What was wished through the link of a mail; where topics were shown, a yes or no to each of them."""

    message_id: str
    how: How
    said: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """Who got the mail of a link: the customer as known now, the address it went to, and its topic.

    The topic is empty where the mail was owed.
    """

    customer_id: int
    addresses: tuple[str, ...]  # the one it went to first, and perhaps a newer one
    topic: str
    mailed_as: int = 0  # the id that the mail has, which may be of before they were merged

    @property
    def address(self) -> str:
        return self.addresses[0]


class Pending(NamedTuple):
    """To whom nothing leaves until their wish is carried out."""

    customers: Collection[int] = ()
    addresses: Collection[str] = ()  # by their hashes

    def concerns(self, customer_id: int, address: str) -> bool:
        return customer_id in self.customers or (
            bool(self.addresses) and address_hash(address) in self.addresses
        )


@dataclass(frozen=True)
class Wishes:
    """Carries wishes out: at once, or by the tray in which they wait."""

    store: Store
    tray: Tray

    def fulfil(self, wish: Wish, now: datetime) -> Reader | None:
        """It holds when this returns. None where nothing is known of the mail or its reader any longer."""
        if not self.tray.files():  # else it stands in line behind those
            try:
                with self.store.writing(within=PATIENCE) as connection:
                    return carry_out(connection, wish, now)
            except StoreLocked:
                pass
        with self.store.reading() as connection:
            reader = reader_of(connection, wish.message_id)
        if reader is not None:
            self.tray.put([_as_told(wish, reader, now)])
        return reader

    def carry_out(self, now: datetime, *, within: int | None = None) -> Drained:
        """All that wait."""
        return drain(self.store, self.tray, lambda each: carry_out_waiting(each, now), within=within)

    def waiting(self, message_id: str) -> list[Wish]:
        """Those that were uttered by that mail, the oldest first."""
        found = [_as_wish(told) for told in self.tray.look()]
        return [wish for wish in found if wish.message_id == message_id]

    def pending(self) -> Pending:
        """Whose wishes wait."""
        words = [json.loads(told.body) for told in self.tray.look()]
        return Pending(
            {number for each in words for number in each["customers"]},
            {hashed for each in words for hashed in each["addresses"]},
        )


def reader_of(connection: Connection, message_id: str) -> Reader | None:
    """Whom a mail went to; None where nothing is known of it or of them any longer."""
    mail = select(messages.c.customer_id, messages.c.address, messages.c.topic)
    row = connection.execute(mail.where(messages.c.message_id == message_id)).one_or_none()
    if row is None:
        return None
    customer_id = as_known_now(connection, row.customer_id)
    known = select(customers.c.email).where(customers.c.customer_id == customer_id)
    found = connection.execute(known).one_or_none()
    addresses = dict.fromkeys(filter(None, (row.address, found.email))) if found else {}
    return Reader(customer_id, tuple(addresses), row.topic, row.customer_id) if addresses else None


def carry_out(connection: Connection, wish: Wish, at: datetime) -> Reader | None:
    """As it was wished at that time; None where nothing is known of its mail or its reader."""
    reader = reader_of(connection, wish.message_id)
    if reader is None:
        return None
    lock_customers(connection, [reader.customer_id])
    if wish.how is How.TOPICS:
        _choose(connection, reader, wish.said, at)
    elif wish.how is How.ALL or not reader.topic:
        source = PAGE if wish.how is How.ALL else ONE_CLICK
        for address in reader.addresses:
            suppress(connection, address, UNSUBSCRIBED, source, at)
    else:
        say(connection, reader.customer_id, [(reader.topic, False)], ONE_CLICK, at)
    return reader


def carry_out_waiting(connection: Connection, now: datetime) -> None:
    """Those that were brought in, in their order. Of what was carried out only the id is kept."""
    verdicts = {told: _tried(connection, told) for told in waiting(connection, [SOURCE], MOST)}
    mark(connection, verdicts, now)
    done = [told.event_id for told, verdict in verdicts.items() if verdict.outcome != PARKED]
    for part in batched(done):
        these = (inbound.c.source == SOURCE, inbound.c.event_id.in_(part))
        connection.execute(update(inbound).where(*these).values(body=""))


def _tried(connection: Connection, told: Told) -> Verdict:
    """One that cannot be carried out stands in no other's way."""
    try:
        with connection.begin_nested():
            reader = carry_out(connection, _as_wish(told), told.received_at)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and can be taken up anew
        return Verdict(PARKED, f"it cannot be carried out: {type(error).__name__}")
    return Verdict(APPLIED if reader else IGNORED)


def _choose(connection: Connection, reader: Reader, said: Mapping[str, bool], at: datetime) -> None:
    """Who wants any is no longer suppressed by their own wish."""
    if any(said.values()):
        for address in reader.addresses:
            lift(connection, address, at, only=UNSUBSCRIBED)
    say(connection, reader.customer_id, said.items(), PAGE, at)


def _as_told(wish: Wish, reader: Reader, now: datetime) -> Told:
    """Its id goes by its time, so that the order stays."""
    words: dict[str, Any] = {
        "mail": wish.message_id,
        "how": wish.how,
        "said": dict(wish.said),
        "customers": sorted({reader.customer_id, reader.mailed_as}),
        "addresses": [address_hash(address) for address in reader.addresses],
    }
    event_id = f"{to_micros(now):017d}-{next(_numbers):06d}-{token_hex(8)}"
    return Told(SOURCE, event_id, now, json.dumps(words))


def _as_wish(told: Told) -> Wish:
    words = json.loads(told.body)
    return Wish(words["mail"], How(words["how"]), words["said"])
