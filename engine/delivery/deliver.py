"""The loop: clear up what an earlier run left, then send what is due, batch by batch."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from engine.delivery.ahead import Ahead
from engine.delivery.courier import Courier, Settled
from engine.delivery.gate import Gate
from engine.delivery.generation import Guard
from engine.delivery.leases import expire, wait_for_others
from engine.delivery.line import Line
from engine.delivery.outbox import Outbox
from engine.delivery.reconcile import reconcile
from engine.delivery.rows import Attempt, stands
from engine.delivery.states import Status
from engine.delivery.transports.base import Transport
from engine.delivery.transports.smtp import SmtpTransport
from engine.delivery.warm_up import Ramp
from engine.facts.wishes import Wishes
from engine.rendering.studio import Studio
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.tables import messages

SAY_EVERY = 1000
NOT_LEFT = (Status.SCHEDULED, Status.REJECTED, Status.CANCELLED)
STANDING = ("unknown", "under_way", "still_due")  # at the end, whatever was done


def clear_up(store: Store, transport: Transport, now: datetime, progress: Callable[[str], None]) -> int:
    """See to what an earlier run left on its way; returns how many mails turned out to have left."""
    if lost := expire(store):
        progress(f"left under way by an earlier run, and looked up now: {lost:,}")
    return reconcile(store, transport, now)


@dataclass(frozen=True)
class Delivered:
    """What one delivery did, in mails."""

    accepted: int = 0  # the transport took them
    rejected: int = 0  # could not be written, or were refused for good
    cancelled: int = 0  # unwanted or suppressed meanwhile, or not on the list of a rehearsal
    postponed: int = 0  # not taken; to be tried again later
    found: int = 0  # had left in an earlier run that did not live to write it down
    unknown: int = 0  # stand unknown in the outbox at the end, whoever sent them
    under_way: int = 0  # are with another run at the end
    still_due: int = 0  # were due and may not leave yet, by a rate or since the way out rests

    def as_json(self) -> dict[str, int]:
        return asdict(self)

    def then(self, later: "Delivered") -> "Delivered":
        """Both together: what was done adds up, what stands at the end is the later's word."""
        mine, theirs = asdict(self), asdict(later)
        return Delivered(**{n: theirs[n] + (0 if n in STANDING else mine[n]) for n in mine})

    def __str__(self) -> str:
        told = [f"{number:,} {name.replace('_', ' ')}" for name, number in asdict(self).items() if number]
        return f"Mails: {', '.join(told)}" if told else "No mail was due."


@dataclass(frozen=True)
class Way:
    """How mails go out in this process: what all its deliveries have in common.

    `owner` is unique to this run of this process. `versions` are those of the campaigns in the studio.
    Each mail keeps the one it was written from, and only their mails go: those of a campaign with a
    mistake in its files wait until it is mended.
    """

    store: Store
    studio: Studio
    transport: Transport
    settings: Settings
    owner: str
    progress: Callable[[str], None]
    versions: Mapping[str, str] | None = None
    guard: Guard | None = None
    wishes: Wishes | None = None
    clock: Callable[[], datetime] | None = None  # where a delivery may last; much may happen meanwhile

    def rounds(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> "Rounds":
        """The deliveries of one instant, until `stop` says to end them."""
        delivery, names = self.settings.delivery, (self.transport.name, self.versions)
        outbox = Outbox(self.store, self.owner, delivery.lease, *names, self.guard)
        only = self.settings.staging.only
        clock = self.clock or (lambda: now)
        line = Line(self.store, self.settings, clock, self.studio.offers)
        way = (outbox, self.studio, self.transport, now)
        courier = Courier(*way, only=only, stop=stop, try_for=delivery.try_for, wishes=self.wishes, line=line)
        per_domain = self.settings.smtp.per_domain if self.transport.name == SmtpTransport.name else {}
        ramp = Ramp(self.store, self.settings.warm_up, self.settings.zone)
        gate = Gate(outbox, delivery, per_domain, ramp, clock)
        return Rounds(outbox, courier, delivery.batch, gate, self.progress)


def deliver(
    way: Way,
    now: datetime,
    *,
    wait_for_leases: Callable[[float], None] | None = None,
    wait_for_rate: Callable[[float], None] | None = None,
) -> Delivered:
    """Send every mail that is due at `now`.

    `wait_for_leases` sleeps for so many seconds; with it, mails that another run left half done are
    waited for and seen to. `wait_for_rate` does so where mails may not leave faster; without it they
    are left for another delivery. Raises TransportError where the way out is unusable; what had not
    left by then is scheduled again.
    """
    rounds = way.rounds(now)
    rounds.clear_up()
    rounds.go(wait_for_rate)
    if wait_for_leases and wait_for_others(way.store, wait_for_leases, way.progress):
        rounds.clear_up()
        rounds.go(wait_for_rate)
    return rounds.delivered()


class Rounds:
    """Round after round until nothing is due, and the count of all they did."""

    def __init__(
        self,
        outbox: Outbox,
        courier: Courier,
        batch: int,
        gate: Gate,
        progress: Callable[[str], None],
    ) -> None:
        self._outbox = outbox
        self._courier = courier
        self._ahead = Ahead(outbox, batch)
        self._gate = gate
        self._progress = progress
        self.ended: Counter[Status] = Counter()
        self._found = 0
        self._said_how_fast = False

    def clear_up(self) -> None:
        """See to what an earlier run left."""
        courier = self._courier
        self._found += clear_up(self._outbox.store, courier.transport, courier.now, self._progress)

    def go(self, wait: Callable[[float], None] | None = None) -> None:
        """Send what is due, and as fast as it may leave; `wait` sleeps until more may."""
        while not self._courier.stop():
            full, rest = self._gate.full(), self._courier.rest()
            waiting = self._due(full)
            through = [] if rest else self._gate.through(waiting)
            self._put_back(waiting, through)
            if through:
                self._carry(through)
            elif self._gate.day_is_over:
                self._say_that_the_day_is_over(wait)
                return
            elif wait and (waiting or (full and self._due())):
                wait(self._pause(rest, frozenset() if waiting else full).total_seconds())
            else:
                return

    def _pause(self, rest: timedelta, full: Collection[str]) -> timedelta:
        """How long until more may leave, and that is said."""
        if rest:
            self._progress(f"the way out is left alone for {math.ceil(rest.total_seconds())} s")
            return rest
        self._say_how_fast(full)
        return self._gate.pause(full)

    def _say_that_the_day_is_over(self, wait: Callable[[float], None] | None) -> None:
        """A daemon asks every second, and `status` tells it."""
        if wait:
            self._progress("the mails that a new sender may send today are used up; the rest goes tomorrow")

    def _say_how_fast(self, full: Collection[str]) -> None:
        if self._said_how_fast:
            return
        self._said_how_fast = True
        if full:
            self._progress(f"mails to {', '.join(sorted(full))} wait, as smtp.per_domain says")
        elif rate := self._gate.throttle:
            self._progress(f"mails leave one every {rate.interval.total_seconds():g} s, as the rate says")

    def _due(self, full: frozenset[str] = frozenset()) -> list[Attempt]:
        """What readers wished comes first: they were told that it holds."""
        pending = self._courier.hear_wishes()
        found = self._ahead.next(self._courier.now, self._gate.clock(), full)
        return [mail for mail in found if mail.key.customer_id not in pending.customers]

    def _put_back(self, waiting: Sequence[Attempt], through: Collection[Attempt]) -> None:
        left = set(waiting).difference(through)
        self._ahead.put_back([mail for mail in waiting if mail in left])

    def _carry(self, waiting: Sequence[Attempt]) -> None:
        batch = self._outbox.claim(waiting, self._courier.now)
        if len(batch) < len(waiting):
            self._gate.give_back(len(waiting) - len(batch))
            self._ahead.was_taken()
        if batch:
            self._courier.carry(batch, self._note)

    def _note(self, settled: Settled) -> None:
        self._gate.give_back(sum(settled.ended.get(status, 0) for status in NOT_LEFT))
        before = self.ended.total() // SAY_EVERY
        self.ended.update(settled.ended)
        self.ended[Status.SCHEDULED] -= settled.untried
        if self.ended.total() // SAY_EVERY > before:
            self._progress(f"{self.ended.total():,} mails seen to")

    def delivered(self) -> Delivered:
        """What they did, and what stands unknown or under way now."""
        with self._outbox.store.reading() as connection:
            count = select(func.count()).select_from(messages)
            unknown = connection.scalar(count.where(stands(Status.UNKNOWN)))
            sending = connection.scalar(count.where(stands(Status.SENDING)))
        return Delivered(
            accepted=self.ended[Status.ACCEPTED],
            rejected=self.ended[Status.REJECTED],
            cancelled=self.ended[Status.CANCELLED],
            postponed=self.ended[Status.SCHEDULED],
            found=self._found,
            unknown=unknown or 0,
            under_way=sending or 0,
            still_due=self._outbox.waiting(self._courier.now, self._gate.clock()),
        )
