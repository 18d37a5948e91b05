"""Which of our mails, and whose, each event speaks of.

Our mails carry the ids of their customer and of themselves. What concerns an address counts without them as
well: a server that took a mail and returns it later does not say which it was. Whoever was merged into a
known customer since is meant by what is told of either.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from engine.delivery.receivers.heard import Heard
from engine.facts.batches import batched
from engine.facts.mail_events import OF_THE_ADDRESS
from engine.store.tables import customer_aliases, identities, messages

EMAIL = "email"
Key = TypeVar("Key")


@dataclass(frozen=True)
class Place:
    """Where an event belongs: a customer, and the mail where there is one."""

    customer_id: int
    address: str
    message_id: str = ""
    campaign_id: str = ""
    step_id: str = ""


class Files:
    """What has to be known to place the events of one batch, read at once."""

    def __init__(self, connection: Connection, events: Collection[Heard]) -> None:
        self._mails = _mails(connection, events)
        astray = {e.address for e in events if e.kind in OF_THE_ADDRESS and self._mail(e) is None}
        self._owners = _owners(connection, astray - {""})
        self._now = _merged(connection, {mail.customer_id for mail in self._mails.values()})

    def places(self, events: Mapping[Key, Heard]) -> dict[Key, Place]:
        """Of each its place; those are left out that are of no mail of ours, and of nobody's address."""
        found = {key: self._place(event) for key, event in events.items()}
        return {key: place for key, place in found.items() if place is not None}

    def _place(self, event: Heard) -> Place | None:
        mail = self._mail(event)
        if mail is not None:
            address = event.address or (mail.address or "")
            customer = self._now.get(mail.customer_id, mail.customer_id)
            return Place(customer, address, mail.message_id, mail.campaign_id, mail.step_id)
        owner = self._owners.get(event.address) if event.kind in OF_THE_ADDRESS else None
        return None if owner is None else Place(owner, event.address)

    def _mail(self, event: Heard) -> Any:
        mail = self._mails.get(event.message_id)
        return mail if mail is not None and mail.customer_id == event.customer_id else None


def _mails(connection: Connection, events: Iterable[Heard]) -> Mapping[str, Any]:
    named = {event.message_id for event in events if event.message_id}
    table = messages.c
    found: dict[str, Any] = {}
    columns = (table.customer_id, table.message_id, table.campaign_id, table.step_id, table.address)
    for ids in batched(sorted(named)):
        rows = connection.execute(select(*columns).where(table.message_id.in_(ids)))
        found.update({row.message_id: row for row in rows})
    return found


def _owners(connection: Connection, addresses: Iterable[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for values in batched(sorted(addresses)):
        asked = select(identities.c.value, identities.c.customer_id)
        theirs = asked.where(identities.c.kind == EMAIL, identities.c.value.in_(values))
        found.update((row.value, row.customer_id) for row in connection.execute(theirs))
    return found


def _merged(connection: Connection, customer_ids: Iterable[int]) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for ids in batched(sorted(customer_ids)):
        asked = select(customer_aliases.c.customer_id, customer_aliases.c.merged_into)
        rows = connection.execute(asked.where(customer_aliases.c.customer_id.in_(ids)))
        found.update((row.customer_id, row.merged_into) for row in rows)
    return found
