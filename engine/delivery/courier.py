"""One batch on its way: from its committed intent, through the studio and the door, to its settlement."""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from engine.delivery.line import Line
from engine.delivery.outbox import FOR_EVER, Outbox, Outcome
from engine.delivery.receivers import smtp
from engine.delivery.retry import pause_after
from engine.delivery.rows import Attempt
from engine.delivery.staging import on_the_list
from engine.delivery.states import Status
from engine.delivery.transports.base import (
    Answer,
    NoSuchAddress,
    NotNow,
    OutcomeUnknown,
    Parcel,
    Receipt,
    Refused,
    Together,
    Transport,
    TryAgain,
)
from engine.delivery.transports.one_by_one import OneByOne, together
from engine.errors import TransportError
from engine.facts.receiving.inbound import keep
from engine.facts.wishes import Pending, Wishes
from engine.rendering.mail import Mail, MailOrder, Unwritable
from engine.rendering.studio import Studio

ASKS_EVERY = 0.1  # seconds; what is handed over by itself takes longer, so it is asked for
_NOT_SENT = Outcome(Status.SCHEDULED)
_IN_THE_AIR = Outcome(Status.UNKNOWN, "the transport did not say whether it took it")
_REHEARSED = Outcome(Status.CANCELLED, "a rehearsal: the address is not in staging.only")


@dataclass
class Bag:
    """One batch: the letters still to be sent, what became of each attempt, and the receipts."""

    outcomes: dict[Attempt, Outcome]
    letters: dict[Attempt, Mail] = field(default_factory=dict)
    receipts: dict[Attempt, Receipt] = field(default_factory=dict)
    nowhere: list[Mapping[str, Any]] = field(default_factory=list)  # told of addresses that are none


class Settled(NamedTuple):
    """How many mails of a batch ended in each state, and how many of them are due as they were before."""

    ended: Mapping[Status, int]
    untried: int


@dataclass(frozen=True)
class Courier:
    """Carries one batch after the other; `stopwatch` counts seconds, from whenever.

    `only` is the list of a rehearsal. Where `stop` says so, what has not left goes back. What is not taken is
    tried again for so long as `try_for` says. Nothing leaves to who has uttered `wishes` that are not carried
    out yet. `line` knows who buys at the moment.
    """

    outbox: Outbox
    studio: Studio
    transport: Transport
    now: datetime
    stopwatch: Callable[[], float] = time.monotonic
    only: Collection[str] | None = None
    stop: Callable[[], bool] = lambda: False
    try_for: timedelta = FOR_EVER
    wishes: Wishes | None = None
    line: Line | None = None

    @cached_property
    def _way(self) -> Together | OneByOne:
        return together(self.transport)

    def rest(self) -> timedelta:
        """For how long the transport is to be left alone."""
        return self._way.rest()

    def hear_wishes(self) -> Pending:
        """Carry out those that wait; those that still do."""
        if not self.wishes:
            return Pending()
        self.wishes.carry_out(self.now)
        return self.wishes.pending()

    def carry(self, batch: Sequence[Attempt], note: Callable[[Settled], None] = lambda _: None) -> None:
        """Send what was claimed; `note` is told what became of it, whatever happens.

        Whatever stops it on the way, what has not left goes back to `scheduled`, and what may have
        left becomes `unknown`.
        """
        bag = Bag(dict.fromkeys(batch, _NOT_SENT))
        try:
            self._write(bag)
            self._send(bag)
        finally:
            self._write_down(bag, note)

    def _write_down(self, bag: Bag, note: Callable[[Settled], None]) -> None:
        """What was told of addresses comes first, and whatever becomes of that, each mail is settled."""
        try:
            if bag.nowhere:
                keep(self.outbox.store, smtp.SOURCE, smtp.EVENT_ID, json.dumps(bag.nowhere), self.now)
        finally:
            untried = sum(_is_as_before(outcome) for outcome in bag.outcomes.values())
            note(Settled(self.outbox.settle(bag.outcomes, self.now, self.try_for), untried))

    def _write(self, bag: Bag) -> None:
        batch = list(bag.outcomes)
        orders = [MailOrder(attempt.key, attempt.planned_at) for attempt in batch]
        with self.outbox.store.reading() as connection:
            written = self.studio.compose(connection, orders, self.now)
        for attempt, mail in zip(batch, written, strict=True):
            if isinstance(mail, Unwritable):
                bag.outcomes[attempt] = _unwritable(mail, attempt, self.now)
            else:
                bag.letters[attempt] = replace(mail, attempt=attempt.number)

    def _send(self, bag: Bag) -> None:
        try:
            while bag.letters and not self.stop() and not self.rest():
                self._send_while_fresh(bag)
        finally:
            self.transport.flush()
            bag.outcomes |= {a: _accepted(receipt) for a, receipt in bag.receipts.items()}

    def _send_while_fresh(self, bag: Bag) -> None:
        """Past the door and off, until half of the lease is used up that was renewed.

        The door is asked again and again, so that a no, a suppression or a pause holds from the moment it was
        said. The first one leaves at once, so that something leaves however short the lease.
        """
        asked = self.stopwatch()
        turn_back = asked + self.outbox.lease.total_seconds() / 2
        self._renew(bag)
        self._pass_the_door(bag)
        senders = {mail.message_id: attempt for attempt, mail in bag.letters.items()}
        for parcel in self._way.parcels(list(bag.letters.values())):
            if (moment := self.stopwatch()) >= asked + ASKS_EVERY:
                asked = moment
                self._pass_the_door(bag)
            if mails := [mail for mail in parcel.mails if senders[mail.message_id] in bag.letters]:
                self._hand_over(bag, replace(parcel, mails=mails), senders)
            if self.stop() or self.rest() or self.stopwatch() >= turn_back:
                return

    def _renew(self, bag: Bag) -> None:
        """Keep only the letters that are still ours to send."""
        held = self.outbox.renew(bag.letters)
        bag.letters = {attempt: mail for attempt, mail in bag.letters.items() if attempt in held}

    def _pass_the_door(self, bag: Bag) -> None:
        """Keep only the letters that nothing stands against by now."""
        stopped = self._stopped(bag.letters)
        bag.outcomes |= stopped
        bag.letters = {attempt: mail for attempt, mail in bag.letters.items() if attempt not in stopped}

    def _stopped(self, letters: Mapping[Attempt, Mail]) -> dict[Attempt, Outcome]:
        """What becomes of those that must not leave.

        Wishes that wait are asked for first: what is carried out meanwhile is found in the database.
        """
        pending = self.wishes.pending() if self.wishes else Pending()
        rehearsed = {a for a, mail in letters.items() if not on_the_list(mail.to_address, self.only)}
        wished = {a for a, mail in letters.items() if pending.concerns(a.key.customer_id, mail.to_address)}
        crossing = self.line.crossed_by(letters) if self.line else {}
        stopped = crossing | dict.fromkeys(rehearsed, _REHEARSED) | dict.fromkeys(wished, _NOT_SENT)
        return stopped | self.outbox.stopped(letters, self.now)

    def _hand_over(self, bag: Bag, parcel: Parcel, senders: Mapping[str, Attempt]) -> None:
        """Into the air with all of them, and down again one by one as the transport answers."""
        flying = {senders[mail.message_id] for mail in parcel.mails}
        for attempt in flying:
            del bag.letters[attempt]
        bag.outcomes |= dict.fromkeys(flying, _IN_THE_AIR)

        def door(mails: Sequence[Mail]) -> Sequence[Mail]:
            """They came down again, and fly once more only if nothing was said against them meanwhile."""
            stopped = self._stopped({senders[mail.message_id]: mail for mail in mails})
            bag.outcomes |= stopped
            flying.difference_update(stopped)
            return [mail for mail in mails if senders[mail.message_id] in flying]

        try:
            for mail, answer in self._way.send_parcel(parcel, door):
                attempt = senders[mail.message_id]
                flying.discard(attempt)
                self._settle(bag, attempt, answer)
                if isinstance(answer, NoSuchAddress):
                    bag.nowhere.append(smtp.refused(attempt, mail.to_address, str(answer)))
        except TransportError:
            bag.outcomes |= dict.fromkeys(flying, _NOT_SENT)
            raise
        except Exception as answer:  # noqa: BLE001 - one parcel's trouble never takes another with it
            bag.outcomes |= {attempt: _answered(answer, attempt, self.now) for attempt in flying}

    def _settle(self, bag: Bag, attempt: Attempt, answer: Answer) -> None:
        if isinstance(answer, Receipt):
            bag.receipts[attempt] = answer
        else:
            bag.outcomes[attempt] = _answered(answer, attempt, self.now)


def _is_as_before(outcome: Outcome) -> bool:
    """Whether the mail is due as it was, and nothing was tried that has to be waited for."""
    return outcome.status is Status.SCHEDULED and outcome.due_at is None


def _accepted(receipt: Receipt) -> Outcome:
    return Outcome(Status.ACCEPTED, provider_id=receipt.provider_id)


def _unwritable(mail: Unwritable, attempt: Attempt, now: datetime) -> Outcome:
    """A fact may come back, and a template be mended: the mail waits. Without an address it never goes."""
    told = f"{mail.reason}: {mail.message}"
    if mail.reason == "no_address":
        return Outcome(Status.REJECTED, told)
    return Outcome(Status.SCHEDULED, told, due_at=now + pause_after(attempt.number))


def _answered(answer: Exception, attempt: Attempt, now: datetime) -> Outcome:
    match answer:
        case Refused():
            return Outcome(Status.REJECTED, str(answer))
        case NotNow():
            return Outcome(Status.SCHEDULED, str(answer))
        case TryAgain():
            return Outcome(Status.SCHEDULED, str(answer), due_at=now + pause_after(attempt.number))
        case OutcomeUnknown():
            return Outcome(Status.UNKNOWN, str(answer))
    return Outcome(Status.UNKNOWN, f"{type(answer).__name__}: {answer}")
