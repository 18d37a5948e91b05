"""Mails of unknown fate, looked for at their provider: what is found has left, anything else stays unknown.

That nothing is found proves nothing, at no age: it may be stored late, or not at all.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from engine.app.controlling import resolve
from engine.app.project import Project
from engine.delivery.rows import ATTEMPT, Attempt, attempts, stands
from engine.delivery.states import Status
from engine.delivery.transports.sendgrid import SendGridTransport
from engine.delivery.transports.sendgrid.account import Account, Wait
from engine.delivery.transports.sendgrid.looking_up import LOOK_UPS, LookUp, Wanted
from engine.errors import SettingsError
from engine.facts.batches import batched
from engine.planning.slots import slot_at
from engine.store.tables import messages

WHERE = (stands(Status.UNKNOWN), messages.c.transport == SendGridTransport.name)


@dataclass(frozen=True)
class LookedUp:
    """How many mails were found, and how many were not, for now."""

    found: int = 0
    not_found: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def unknown(project: Project) -> dict[Attempt, Wanted]:
    """Every mail of unknown fate that can be looked for."""
    with project.store.reading() as connection:
        return _wanted(connection)


def look_up(
    project: Project,
    mails: Sequence[Attempt],
    wait: Wait = time.sleep,
    looked: Callable[[Attempt], None] = lambda _: None,
) -> LookedUp:
    """Look for these mails, one after the other; each that is found is accepted at once.

    `looked` is told of each when that is done.
    Raises SettingsError where no way to look is set, and TransportError where no answer is to be had.
    """
    with project.store.reading() as connection:
        wanted = _wanted(connection, mails)
    found = 0
    with _asking(project, wait) as (account, way):
        for attempt, mail in wanted.items():
            if way.has(account, mail):
                found += resolve(project, [attempt], accepted=True, now=project.clock.now())
            looked(attempt)
    return LookedUp(found, len(mails) - found)


@contextmanager
def _asking(project: Project, wait: Wait) -> Iterator[tuple[Account, LookUp]]:
    name = project.settings.sendgrid.look_up
    if name == "off":
        msg = "mails are not looked up here: sendgrid.look_up is off"
        raise SettingsError(msg, hint="set it to email_activity or logs, as the account has it")
    way = LOOK_UPS.choose(name)
    account = Account(project.settings, wait, apart=way.apart)
    try:
        yield account, way
    finally:
        account.close()


def _wanted(connection: Connection, mails: Iterable[Attempt] | None = None) -> dict[Attempt, Wanted]:
    """What to look for; all of unknown fate where none are named."""
    asked = select(*ATTEMPT, messages.c.message_id, messages.c.address, slot_at(messages)).where(*WHERE)
    if mails is None:
        return _read(connection.execute(asked))
    wanted: dict[Attempt, Wanted] = {}
    for ids in batched(attempt.key.message_id for attempt in mails):
        wanted |= _read(connection.execute(asked.where(messages.c.message_id.in_(ids))))
    return wanted


def _read(rows: Iterable[Any]) -> dict[Attempt, Wanted]:
    told = [(row[: len(ATTEMPT)], row[len(ATTEMPT) :]) for row in rows]
    found = attempts(key for key, _ in told)
    return {a: Wanted(*more) for a, (_, more) in zip(found, told, strict=True) if more[1]}
