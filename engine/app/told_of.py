"""What others told of one person, out of events in which somebody else may stand as well.

An object that names somebody else is of somebody else: of it is told only what names this person. In words,
such as those of a mail server, only the addresses of others are left out.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from engine.app.person import CUSTOMER_ID, NAMED_BY, Person, tells_of
from engine.delivery.transports.sendgrid.payload import CUSTOMER
from engine.facts.batches import batched
from engine.facts.values.addresses import as_compared
from engine.store.tables import dossiers, identities, inbound

LEFT_OUT = "(of somebody else)"
_WORD = r"[^\s@<>\"'(),;:/=?&\[\]]"
_ADDRESS = re.compile(rf"(?<!{_WORD}){_WORD}+@{_WORD}+\.{_WORD}*(?!\.){_WORD}")
_ALONE = re.compile(rf"(?:[^<>@]*<)?({_ADDRESS.pattern})>?")  # perhaps behind a name
_THEIRS = (*NAMED_BY, "shop_id", "anonymous_id")  # what is there names a person to a shop
_OURS = (CUSTOMER_ID, CUSTOMER)  # and here to us
_NO_ADDRESS = ("smtp-id", "sg_message_id", "sg_event_id")  # what is there may look like one


def events_of(connection: Connection, person: Person) -> Iterator[dict[str, Any]]:
    """Each event that tells of the person, with what it says of them."""
    return _told(connection, inbound, "body", person, ("received_at", "source", "event_id"))


def orders_of(connection: Connection, person: Person) -> Iterator[dict[str, Any]]:
    """The same for what was brought together of their orders."""
    return _told(connection, dossiers, "said", person, ("source", "order_ref"))


def _told(
    connection: Connection, table: Table, words: str, person: Person, order: Iterable[str]
) -> Iterator[dict[str, Any]]:
    rows = select(table).where(tells_of(person, table.c[words])).order_by(*(table.c[name] for name in order))
    found = [dict(row) for row in connection.execute(rows).mappings()]
    bodies = [json.loads(row[words]) for row in found]
    eye = Eye(person, _others(connection, person, bodies))
    for row, body in zip(found, bodies, strict=True):
        if eye.sees_them(body):
            yield row | {words: eye.theirs(body)}


class Eye:
    """Tells a person from others; `others` are names in what was told that are somebody else's here."""

    def __init__(self, person: Person, others: Iterable[str]) -> None:
        names = [value for kind, value in person.names if kind != "email"]
        self._names = {each.lower() for name in names for each in (name, name.rpartition(":")[2])}
        self._numbers = {str(number) for number in person.ids}
        self._addresses = set(map(as_compared, person.addresses))
        self._others = {each.lower() for each in others} - self._names

    def sees_them(self, said: Any, key: str = "") -> bool:
        """Whether this person is named anywhere in it."""
        if isinstance(said, Mapping):
            return any(self.sees_them(each, name) for name, each in said.items())
        if isinstance(said, list):
            return any(self.sees_them(each, key) for each in said)
        found = [said, *_ADDRESS.findall(said)] if isinstance(said, str) else []
        return self._is_their_name(said, key) or any(as_compared(each) in self._addresses for each in found)

    def theirs(self, said: Any, key: str = "") -> Any:
        """What of it is told of this person, and what is nobody's."""
        if isinstance(said, Mapping):
            beside = any(self._names_another(each, name) for name, each in said.items())
            return {name: self._part(each, name, beside=beside) for name, each in said.items()}
        if isinstance(said, list):
            return [self._part(each, key, beside=self._names_another(each, key)) for each in said]
        return self._words(said)

    def _part(self, said: Any, key: str, *, beside: bool) -> Any:
        """One part of an object, or of a list; `beside`: somebody else is named there."""
        if beside and not self.sees_them(said, key):
            return LEFT_OUT
        return said if key in _NO_ADDRESS else self.theirs(said, key)

    def _words(self, said: Any) -> Any:
        """Without the addresses of others."""
        if not isinstance(said, str):
            return said
        return _ADDRESS.sub(lambda f: f[0] if as_compared(f[0]) in self._addresses else LEFT_OUT, said)

    def _is_their_name(self, said: Any, key: str) -> bool:
        return (_is_name(said, key) and str(said).lower() in self._names) or (
            _is_number(said, key) and str(said) in self._numbers
        )

    def _names_another(self, said: Any, key: str) -> bool:
        """Whether it is the address, or a name, of somebody else."""
        if isinstance(said, str) and key not in _NO_ADDRESS and (alone := _ALONE.fullmatch(said.strip())):
            return as_compared(alone[1]) not in self._addresses
        return (_is_name(said, key) and str(said).lower() in self._others) or (
            _is_number(said, key) and str(said) not in self._numbers
        )


def _is_name(said: Any, key: str) -> bool:
    named = key.removeprefix("head.") in _THEIRS  # as dossiers have it
    return named and isinstance(said, str | int) and not isinstance(said, bool)


def _is_number(said: Any, key: str) -> bool:
    return key in _OURS and isinstance(said, str | int) and not isinstance(said, bool)


def _others(connection: Connection, person: Person, bodies: Iterable[Any]) -> Iterator[str]:
    """The names in what was told that are somebody else's here."""
    for part in batched(sorted(set(_names_in(list(bodies))))):
        named = select(identities.c.value, identities.c.customer_id).where(identities.c.value.in_(part))
        yield from (value for value, who in connection.execute(named) if who not in person.ids)


def _names_in(said: Any, key: str = "") -> Iterator[str]:
    if isinstance(said, Mapping):
        for name, each in said.items():
            yield from _names_in(each, name)
    elif isinstance(said, list):
        for each in said:
            yield from _names_in(each, key)
    elif _is_name(said, key):
        yield str(said)
