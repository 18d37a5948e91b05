"""The outbox as one owner uses it: claim, renew, settle.

Each is one short transaction, and every update is conditional on what its caller knows: of two
owners one wins, and a late writer changes nothing. Leases run in database time.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    true,
)

from engine.clock import format_duration
from engine.delivery.generation import Guard
from engine.delivery.receivers.evidence import have_left
from engine.delivery.rows import ATTEMPT, KEYS, NUMBER, Attempt, apply, attempts, change_row, stands
from engine.delivery.states import FINAL, Status, move
from engine.facts.changes import note_changes
from engine.facts.suppression import suppressed_among
from engine.facts.values.addresses import as_compared
from engine.planning.pauses import ALL, paused, paused_since
from engine.planning.slots import lock_contacts, slot_at
from engine.rendering.eml import ascii_domain
from engine.rendering.mail import Mail
from engine.store.connect import Store
from engine.store.dialect import database_now
from engine.store.ids import IdFactory
from engine.store.tables import consents, customers, messages
from engine.store.types import Instant

LONGEST_ERROR = 400
FOR_EVER = timedelta.max
TRIES = 10  # at least; a pause, or a daemon that rests for days, is nobody's refusal
SUPPRESSED, UNWANTED = "suppressed", "the customer said no to its topic meanwhile"
SLOT = slot_at(messages)
NOW, OPEN_AT = bindparam("now", type_=Instant()), bindparam("open_at", type_=Instant())
DECIDED = messages.c.due_at <= SLOT  # since it fell due; what is tried again is decided anew first


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt. `due_at` is when to try again, for what is scheduled anew.

    `in_vain` says that it was tried then, and not taken.
    """

    status: Status
    error: str | None = None
    provider_id: str | None = None
    due_at: datetime | None = None
    in_vain: bool = True


class Outbox:
    """One owner's hands in the table `messages`; `owner` is unique to this run of this process."""

    def __init__(
        self,
        store: Store,
        owner: str,
        lease: timedelta,
        transport: str,
        versions: Mapping[str, str] | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.store = store
        self.lease = lease
        self._guard = guard
        self._owner = owner
        self._ids = IdFactory()
        self._transport = transport
        self._versions = versions or {}  # of the files that the mails are written from
        self._known = true() if versions is None else messages.c.campaign_id.in_(versions)
        self._mine = and_(messages.c.owner == owner, stands(Status.SENDING))

    def due(
        self, now: datetime, limit: int, open_at: datetime | None = None, full: Collection[str] = ()
    ) -> list[Attempt]:
        """The mails that have been due longest, as they stand; another owner may claim them first.

        One whose window has ended by `open_at`, if that is later, is left for the next plan. One to a
        domain that is `full` is left for later.
        """
        rows = self._waiting.where(~_to(full)) if full else self._waiting
        asked = {"now": now, "open_at": max(now, open_at or now), "most": limit}
        with self.store.reading() as connection:
            return attempts(connection.execute(rows, asked).all())

    @cached_property
    def _waiting(self) -> Select[Any]:
        order = (messages.c.due_at, *KEYS)
        return select(*ATTEMPT).where(self._due).order_by(*order).limit(bindparam("most", type_=Integer))

    @cached_property
    def _due(self) -> ColumnElement[bool]:
        in_time = or_(messages.c.closes_at.is_(None), messages.c.closes_at > OPEN_AT)
        goes = and_(self._known, ~paused(messages.c.campaign_id))
        return and_(stands(Status.SCHEDULED), messages.c.due_at <= NOW, in_time, DECIDED, goes)

    def waiting(self, now: datetime, open_at: datetime | None = None) -> int:
        """How many mails are due."""
        count = select(func.count()).select_from(messages).where(self._due)
        with self.store.reading() as connection:
            asked = {"now": now, "open_at": max(now, open_at or now)}
            return connection.scalar(count, asked) or 0

    def domains(self, mails: Sequence[Attempt]) -> dict[Attempt, str]:
        """The domain that each is for; none where there is no address."""
        ids = {attempt.key.customer_id for attempt in mails}
        rows = select(customers.c.customer_id, customers.c.email).where(customers.c.customer_id.in_(ids))
        with self.store.reading() as connection:
            found = {number: _domain(email) for number, email in connection.execute(rows)}
        return {attempt: found.get(attempt.key.customer_id, "") for attempt in mails}

    def claim(self, waiting: Sequence[Attempt], now: datetime) -> list[Attempt]:
        """Commit the intent to send those that still stand as they were read; the attempts this makes.

        The slots that the plan reserved are consumed: they count from now on. A plan that is being
        made for these customers is waited for, and what it put off does not leave.
        """
        next_ones = [attempt._replace(number=attempt.number + 1) for attempt in waiting]
        generation = None
        with self.store.writing() as connection:
            lock_contacts(connection, sorted({attempt.key.customer_id for attempt in waiting}))
            if self._guard:
                generation = self._guard.advance(connection)
            lease = database_now(connection) + self.lease
            changed = apply(connection, self._to_send, {a: self._intent(a, lease, now) for a in waiting})
            held = self._held(connection, next_ones, changed)
        if self._guard and generation:
            self._guard.remember(generation)
        return [attempt for attempt in next_ones if attempt in held]

    @cached_property
    def _to_send(self) -> Update:
        """The change that makes a mail one's own, to be sent."""
        _, sending = move(Status.SCHEDULED, Status.SENDING)
        address = select(customers.c.email).where(customers.c.customer_id == messages.c.customer_id)
        return change_row(stands(Status.SCHEDULED), DECIDED).values(
            status=sending,
            slot_at=case((NOW > SLOT, NOW), else_=SLOT),
            owner=self._owner,
            attempt=NUMBER + 1,
            lease_until=bindparam("lease"),
            message_id=bindparam("id"),
            address=address.scalar_subquery(),
            transport=self._transport,
            version=func.coalesce(bindparam("file", type_=messages.c.version.type), messages.c.version),
            error=None,
        )

    def _intent(self, attempt: Attempt, lease: datetime, now: datetime) -> dict[str, Any]:
        version = self._versions.get(attempt.key.campaign_id)
        return {"lease": lease, "id": attempt.key.message_id, "file": version, "now": now}

    def renew(self, mails: Mapping[Attempt, Mail]) -> set[Attempt]:
        """Lengthen the lease, and keep the address and the evidence of each mail; those still held."""
        with self.store.writing() as connection:
            lease = database_now(connection) + self.lease
            records = {attempt: _on_record(mail, lease) for attempt, mail in mails.items()}
            return self._held(connection, mails, apply(connection, self._longer, records))

    @cached_property
    def _longer(self) -> Update:
        """The change that keeps a mail one's own for another while, and what it says."""
        return change_row(self._mine).values(
            lease_until=bindparam("lease"), address=bindparam("to"), evidence=bindparam("proof")
        )

    def stopped(self, letters: Mapping[Attempt, Mail], now: datetime) -> dict[Attempt, Outcome]:
        """What becomes of those of the mails that must not leave as things stand now.

        What is paused goes back. One that was tried before, and that its provider has told of since, has
        left: it is accepted.
        """
        with self.store.reading() as connection:
            resting = paused_since(connection).keys()
            barred = self._barred(connection, letters, now)
            gone = have_left(connection, [each for each in letters if each.number > 1])
        halted = [a for a in letters if {ALL, a.key.campaign_id} & resting]
        return (
            dict.fromkeys(halted, Outcome(Status.SCHEDULED))
            | {attempt: Outcome(Status.CANCELLED, why) for attempt, why in barred.items()}
            | dict.fromkeys(gone, Outcome(Status.ACCEPTED))
        )

    def _barred(
        self, connection: Connection, letters: Mapping[Attempt, Mail], now: datetime
    ) -> dict[Attempt, str]:
        """What stands against whom, in a word or two.

        What is owed has no topic, and goes to who only unsubscribed.
        """
        ids = [attempt.key.message_id for attempt in letters]
        refused = set(attempts(connection.execute(REFUSED, {"ids": ids, "now": now})))
        listed = suppressed_among(connection, [mail.to_address for mail in letters.values()])
        owed = self._owed(connection, letters) if listed else set()
        grave = suppressed_among(connection, listed, for_what_is_owed=True) if owed else set()
        to = {a for a, mail in letters.items() if mail.to_address in (grave if a in owed else listed)}
        return dict.fromkeys(refused & letters.keys(), UNWANTED) | dict.fromkeys(to, SUPPRESSED)

    def _owed(self, connection: Connection, letters: Collection[Attempt]) -> set[Attempt]:
        ids = [attempt.key.message_id for attempt in letters]
        rows = select(*ATTEMPT).where(messages.c.message_id.in_(ids), messages.c.topic == "")
        return set(attempts(connection.execute(rows)))

    def settle(
        self, outcomes: Mapping[Attempt, Outcome], now: datetime, try_for: timedelta = FOR_EVER
    ) -> dict[Status, int]:
        """Write down what became of each attempt; counts those that were still ours.

        What would be tried again is rejected where it was not taken for so long.
        """
        with self.store.writing() as connection:
            ended = {**outcomes, **self._given_up(connection, outcomes, now, try_for)}
            return {
                status: self._settle_as(connection, status, ended, now)
                for status in sorted({outcome.status for outcome in ended.values()})
            }

    def _given_up(
        self, connection: Connection, outcomes: Mapping[Attempt, Outcome], now: datetime, try_for: timedelta
    ) -> dict[Attempt, Outcome]:
        """Those that would be tried again, and have been for long enough."""
        again = [mail for mail, outcome in outcomes.items() if _in_vain(outcome) and mail.number >= TRIES]
        if not again or try_for == FOR_EVER:
            return {}
        ids = [attempt.key.message_id for attempt in again]
        long = and_(messages.c.in_vain_since <= now - try_for, self._mine)
        rows = attempts(connection.execute(select(*ATTEMPT).where(messages.c.message_id.in_(ids), long)))
        span = format_duration(try_for)
        return {
            attempt: Outcome(Status.REJECTED, f"given up after {span}: {outcomes[attempt].error}")
            for attempt in set(rows) & set(again)
        }

    def _settle_as(
        self, connection: Connection, target: Status, outcomes: Mapping[Attempt, Outcome], now: datetime
    ) -> int:
        chosen = {attempt: outcome for attempt, outcome in outcomes.items() if outcome.status is target}
        if target is Status.ACCEPTED:  # a rule may ask who received it
            note_changes(connection, (attempt.key.customer_id for attempt in chosen), self._ids)
        _, status = move(Status.SENDING, target)
        ended = {"state": status, "end": now if target in FINAL else None}
        told = {
            attempt: _told(outcome) | ended | {"vain": now if _in_vain(outcome) else None}
            for attempt, outcome in chosen.items()
        }
        return apply(connection, self._end, told)

    @cached_property
    def _end(self) -> Update:
        """The change that lets go of a mail."""
        return change_row(self._mine).values(
            status=bindparam("state"),
            lease_until=None,
            error=bindparam("why"),
            provider_id=bindparam("receipt"),
            due_at=func.coalesce(bindparam("due", type_=messages.c.due_at.type), messages.c.due_at),
            in_vain_since=func.coalesce(messages.c.in_vain_since, bindparam("vain", type_=Instant())),
            settled_at=bindparam("end"),
        )

    def _held(self, connection: Connection, wanted: Collection[Attempt], changed: int) -> set[Attempt]:
        """Those of the attempts that are ours, where so many rows were just changed for them."""
        if changed == len(wanted):
            return set(wanted)
        ids = [attempt.key.message_id for attempt in wanted]
        rows = select(*ATTEMPT).where(messages.c.message_id.in_(ids), self._mine)
        return set(attempts(connection.execute(rows))) & set(wanted)


def _refused() -> Select[Any]:
    """The mails among these to whose topic the last word is a no: planning has not heard it yet."""
    no, yes = consents.alias("no"), consents.alias("yes")
    overruled = exists().where(
        yes.c.customer_id == no.c.customer_id,
        yes.c.topic == no.c.topic,
        yes.c.granted,
        yes.c.at > no.c.at,
        yes.c.at <= NOW,
    )
    theirs = and_(no.c.customer_id == messages.c.customer_id, no.c.topic == messages.c.topic)
    asked = select(*ATTEMPT).where(messages.c.message_id.in_(bindparam("ids", expanding=True)))
    return asked.where(exists().where(theirs, ~no.c.granted, ~overruled))


REFUSED = _refused()


def _to(domains: Collection[str]) -> ColumnElement[bool]:
    """SQL: the mail is for somebody there."""
    email = func.lower(customers.c.email)
    spellings = sorted({spelling for domain in domains for spelling in (domain, ascii_domain(domain))})
    there = or_(*(email.endswith(f"@{each}", autoescape=True) for each in spellings))
    return exists().where(customers.c.customer_id == messages.c.customer_id, there)


def _domain(email: str | None) -> str:
    return as_compared(email or "").rpartition("@")[2]


def _on_record(mail: Mail, lease: datetime) -> dict[str, Any]:
    proof = json.dumps(mail.evidence, ensure_ascii=False, sort_keys=True)
    return {"lease": lease, "to": mail.to_address, "proof": proof}


def _in_vain(outcome: Outcome) -> bool:
    return outcome.in_vain and outcome.due_at is not None


def _told(outcome: Outcome) -> dict[str, Any]:
    error = outcome.error[:LONGEST_ERROR] if outcome.error else None
    return {"why": error, "receipt": outcome.provider_id, "due": outcome.due_at}
