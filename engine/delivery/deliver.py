"""The loop: clear up what an earlier run left, then send what is due, batch by batch."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select

from engine.delivery.courier import Courier
from engine.delivery.leases import expire, wait_for_others
from engine.delivery.outbox import Outbox
from engine.delivery.reconcile import reconcile
from engine.delivery.rows import stands
from engine.delivery.states import Status
from engine.delivery.transports.base import Transport
from engine.rendering.studio import Studio
from engine.settings import Settings
from engine.store.connect import Store
from engine.store.tables import messages

SAY_EVERY = 1000


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
    cancelled: int = 0  # suppressed meanwhile, or a claim lost its proof
    postponed: int = 0  # not taken; to be tried again later
    found: int = 0  # had left in an earlier run that did not live to write it down
    unknown: int = 0  # stand unknown in the outbox at the end, whoever sent them
    under_way: int = 0  # are with another run at the end

    def as_json(self) -> dict[str, int]:
        return asdict(self)

    def then(self, later: "Delivered") -> "Delivered":
        """Both together: what was done adds up, what stands at the end is the later's word."""
        mine, theirs = asdict(self), asdict(later)
        done = {name: mine[name] + theirs[name] for name in mine if name not in ("unknown", "under_way")}
        return Delivered(**done, unknown=later.unknown, under_way=later.under_way)

    def __str__(self) -> str:
        told = [f"{number:,} {name.replace('_', ' ')}" for name, number in asdict(self).items() if number]
        return f"Mails: {', '.join(told)}" if told else "No mail was due."


def deliver(  # noqa: PLR0913 - the whole room's wiring, called once and by name
    store: Store,
    studio: Studio,
    transport: Transport,
    settings: Settings,
    now: datetime,
    *,
    owner: str,
    progress: Callable[[str], None],
    versions: Mapping[str, str] | None = None,
    wait_for_leases: Callable[[float], None] | None = None,
) -> Delivered:
    """Send every mail that is due at `now`.

    `owner` is unique to this run of this process. `versions` are those of the campaigns in the studio. Each
    mail keeps the one it was written from, and only their mails go: those of a campaign with a mistake in
    its files wait until it is mended. `wait_for_leases` sleeps for so many seconds; with it, mails that
    another run left half done are waited for and seen to. Raises TransportError where the way out is
    unusable; what had not left by then is scheduled again.
    """
    outbox = Outbox(store, owner, settings.delivery.lease, transport.name, versions)
    courier = Courier(outbox, studio, transport, now)
    rounds = _Rounds(outbox, courier, settings.delivery.batch, progress)
    rounds.go()
    if wait_for_leases and wait_for_others(store, wait_for_leases, progress):
        rounds.go()
    return rounds.delivered()


class _Rounds:
    """Round after round until nothing is due, and the count of all they did."""

    def __init__(self, outbox: Outbox, courier: Courier, batch: int, progress: Callable[[str], None]) -> None:
        self._outbox = outbox
        self._courier = courier
        self._batch = batch
        self._progress = progress
        self._ended: Counter[Status] = Counter()
        self._found = 0

    def go(self) -> None:
        self._clear_up()
        while waiting := self._outbox.due(self._courier.now, self._batch):
            batch = self._outbox.claim(waiting)
            if batch:  # or another owner was faster
                self._count(self._courier.carry(batch))

    def _clear_up(self) -> None:
        courier = self._courier
        self._found += clear_up(self._outbox.store, courier.transport, courier.now, self._progress)

    def _count(self, ended: dict[Status, int]) -> None:
        before = self._ended.total() // SAY_EVERY
        self._ended.update(ended)
        if self._ended.total() // SAY_EVERY > before:
            self._progress(f"{self._ended.total():,} mails seen to")

    def delivered(self) -> Delivered:
        with self._outbox.store.reading() as connection:
            count = select(func.count()).select_from(messages)
            unknown = connection.scalar(count.where(stands(Status.UNKNOWN)))
            sending = connection.scalar(count.where(stands(Status.SENDING)))
        return Delivered(
            accepted=self._ended[Status.ACCEPTED],
            rejected=self._ended[Status.REJECTED],
            cancelled=self._ended[Status.CANCELLED],
            postponed=self._ended[Status.SCHEDULED],
            found=self._found,
            unknown=unknown or 0,
            under_way=sending or 0,
        )
