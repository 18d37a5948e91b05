"""erase: everything known of one person goes, in the database and in the files that we wrote.

What stays are rows that count: runs and mails of a customer id that leads to nobody any more, and hashes
by which the next import passes the person over.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from sqlalchemy import Connection, delete, func, literal, or_, select, update

from engine.app.hearing import drain_whole
from engine.app.person import Person, tells_of
from engine.app.project import Project
from engine.app.sweeping import reject_files
from engine.delivery.rows import ATTEMPT, attempts
from engine.delivery.states import Status
from engine.delivery.transports.folder import FolderTransport
from engine.errors import UsageError
from engine.facts.identity import lock_customers
from engine.facts.tombstones import Graveyard
from engine.store.dialect import overwrite_what_is_deleted
from engine.store.tables import (
    attributes,
    changes,
    consents,
    consumption,
    contact_state,
    customer_aliases,
    customers,
    decisions,
    dossiers,
    enrollments,
    funnel_events,
    identities,
    inbound,
    mail_events,
    membership,
    messages,
    occasions,
    order_lines,
    orders,
    refunds,
    subscriptions,
    transactions,
)
from engine.store.types import Instant

ERASED = "erased"
_BETWEEN = re.compile(r"[\s,;|\"'(){}\[\]]+")
GONE = (
    *(attributes, consents, consumption, funnel_events, orders, order_lines, refunds),
    *(subscriptions, transactions),
    *(occasions, membership, decisions, changes, contact_state, identities, customers),
)
STRIPPED = (messages, enrollments, mail_events)  # these count, without a word about anybody
WAITING = (Status.SCHEDULED, Status.HELD, Status.UNKNOWN)


@dataclass
class Erased:
    """What went, by table, and the files. `overwritten` tells whether the database file was made anew."""

    rows: dict[str, int] = field(default_factory=dict)
    mails: int = 0
    rejects: int = 0
    overwritten: bool = False
    before: bool = False  # an earlier call had erased them already


def counted(project: Project, person: Person) -> dict[str, int]:
    """How many rows there are of them, by table."""
    with project.store.reading() as connection:
        counts = {
            table.name: connection.scalar(
                select(func.count()).select_from(table).where(table.c.customer_id.in_(person.ids))
            )
            for table in (*GONE, *STRIPPED)
        }
    return {name: count for name, count in counts.items() if count}


def erase(project: Project, person: Person, now: datetime) -> Erased:
    """Let everything of them go, also what was told and not brought in yet.

    Raises UsageError while a mail to them is on its way, StoreError where what was told cannot be read.
    """
    drain_whole(project)
    with project.store.writing() as connection:
        overwrite_what_is_deleted(connection)
        lock_customers(connection, person.ids)
        _require_no_mail_on_its_way(connection, person)
        letters = _letters(connection, person)
        done = Erased()
        for table in GONE:
            gone = connection.execute(delete(table).where(table.c.customer_id.in_(person.ids)))
            done.rows |= {table.name: gone.rowcount} if gone.rowcount else {}
        theirs = or_(
            customer_aliases.c.customer_id.in_(person.ids), customer_aliases.c.merged_into.in_(person.ids)
        )
        connection.execute(delete(customer_aliases).where(theirs))
        _strip(connection, person, now)
        Graveyard(project.settings).bury(connection, person.names, now)
    done.mails = _forget_mails(project, letters)
    done.rejects = sum(_without(file, person) for file in reject_files(project))
    done.overwritten = project.store.overwrite_free_pages()
    return done


def erase_again(project: Project) -> Erased:
    """Nothing is left of them but what a database file may keep in its free pages."""
    return Erased(before=True, overwritten=project.store.overwrite_free_pages())


def _require_no_mail_on_its_way(connection: Connection, person: Person) -> None:
    leaving = (messages.c.customer_id.in_(person.ids), messages.c.status == Status.SENDING.value)
    if connection.execute(select(messages.c.status).where(*leaving).limit(1)).first():
        msg = "a mail to them is on its way just now"
        raise UsageError(msg, hint="try again in a minute; if it stays so, the next run looks it up")


def _letters(connection: Connection, person: Person) -> list[tuple[str, datetime]]:
    rows = attempts(connection.execute(select(*ATTEMPT).where(messages.c.customer_id.in_(person.ids))))
    return [(each.key.message_id, each.planned_at) for each in rows]


def _strip(connection: Connection, person: Person, now: datetime) -> None:
    """Mails and runs that count keep their key and their state; what has not left never does."""
    mine = messages.c.customer_id.in_(person.ids)
    waits = update(messages).where(mine, messages.c.status.in_([status.value for status in WAITING]))
    connection.execute(waits.values(status=Status.CANCELLED.value, settled_at=now))
    nothing = dict.fromkeys(("address", "evidence", "error", "provider_id", "owner"))
    connection.execute(update(messages).where(mine).values(**nothing))
    told = update(mail_events).where(mail_events.c.customer_id.in_(person.ids))
    connection.execute(told.values(detail="", address_hash=""))
    looked_at = func.coalesce(inbound.c.applied_at, literal(now, Instant))
    words = update(inbound).where(tells_of(person, inbound.c.body))
    connection.execute(words.values(body="", applied_at=looked_at))
    connection.execute(delete(dossiers).where(tells_of(person, dossiers.c.said)))
    active = (enrollments.c.customer_id.in_(person.ids), enrollments.c.status == "active")
    ended = {"status": "exited", "exit_reason": ERASED, "wake_at": enrollments.c.due_at, "updated_at": now}
    connection.execute(update(enrollments).where(*active).values(ended))


def _forget_mails(project: Project, letters: Sequence[tuple[str, datetime]]) -> int:
    """The files of the transport `folder`, whichever transport is in use now."""
    transport = FolderTransport(project.settings, project.folder)
    return sum(transport.forget(message_id, planned_at) for message_id, planned_at in letters)


def _without(file: Path, person: Person) -> int:
    """A file of rejected rows without those in which one of their names stands; how many these are."""
    names = {value.lower() for _, value in person.names}
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    kept = [row for row in rows if names.isdisjoint(_words(row))]
    if len(kept) < len(rows):
        with _replacing(file) as target:
            csv.writer(target).writerows(kept)
    return len(rows) - len(kept)


def _words(row: Sequence[str]) -> set[str]:
    """What stands between separators and quotes in the cells of a row."""
    return set(_BETWEEN.split(" ".join(row).lower()))


@contextmanager
def _replacing(file: Path) -> Iterator[IO[str]]:
    """The new content of a file, for its owner only; it takes the place of the old one when it is whole."""
    with NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8", newline="") as target:
        yield target
    Path(target.name).replace(file)
