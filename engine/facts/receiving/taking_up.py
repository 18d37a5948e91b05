"""Takes up what waits, batch by batch, in transactions that are kept whole or not at all.

Where a batch cannot be taken up, each half of it is tried, down to the event that is at fault: that one is
parked, and holds up nothing. Where it is known which events cannot be together, only these are parted. A
database that cannot be used is nobody's fault: that is raised.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from engine.errors import AftersaleError, StoreClash
from engine.facts.receiving import inbound
from engine.facts.receiving.inbound import APPLIED, IGNORED, PARKED, Told, Verdict
from engine.store.connect import Store

BATCH = 1_000
ATTEMPTS = 3  # somebody else may meet the same people at the same time
UNKNOWN_KIND = "of a kind that is not known here"


@dataclass(frozen=True)
class Work:
    """Whose events are taken up, and what is made of a batch of them, and of events that waited for it."""

    store: Store
    sources: Collection[str]
    apply: Callable[[Connection, Sequence[Told]], dict[Told, Verdict]]
    size: int = BATCH


class Apart(Exception):
    """Events that cannot be taken up together, in groups of two or more, each in the order of the batch."""

    def __init__(self, groups: Iterable[Sequence[Told]]) -> None:
        super().__init__()
        self._groups = list(groups)

    def parts(self, batch: Sequence[Told]) -> Iterator[Sequence[Told]]:
        """The rest of the batch; then of all groups the first halves, and the second ones."""
        grouped = {told for group in self._groups for told in group}
        early = {told for group in self._groups for told in group[: len(group) // 2]}
        yield [told for told in batch if told not in grouped]
        yield [told for told in batch if told in early]
        yield [told for told in batch if told in grouped and told not in early]


def take_up(work: Work, now: datetime, stop: Callable[[], bool] = lambda: False) -> Counter[str]:
    """Take up all that waits, until `stop` says to end; how many events ended how."""
    tally = Tally()
    for batch in inbound.batches(work.store, work.sources, work.size):
        tally.count(batch, _take_up(work, batch, now))
        if stop():
            break
    return tally.made


class Tally:
    """How events ended. What waits may land with a later one, and then it is counted as that, once."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self._waiting: dict[tuple[str, str], str] = {}

    def count(self, batch: Sequence[Told], verdicts: Mapping[Told, Verdict]) -> None:
        """The batch, and what became meanwhile of those that were counted before it."""
        taken_up = {_name(told) for told in batch}
        for told, verdict in verdicts.items():
            name, outcome = _name(told), verdict.outcome
            before = self._waiting.pop(name, None)
            if before is None and name not in taken_up:
                continue  # an earlier run told of it
            taken_up.discard(name)
            self.made.subtract([] if before is None else [before])
            self.made[outcome] += 1
            if outcome not in (APPLIED, IGNORED):
                self._waiting[name] = outcome


def _name(told: Told) -> tuple[str, str]:
    return told.source, told.event_id


def _take_up(work: Work, batch: Sequence[Told], now: datetime) -> dict[Told, Verdict]:
    try:
        return _attempt(work, batch, now)
    except AftersaleError:
        raise
    except Apart as apart:
        parts = list(apart.parts(batch))
    except Exception as error:  # noqa: BLE001 - whatever it is, the events behind it are waited for
        if len(batch) == 1:
            return _park(work.store, batch[0], type(error).__name__, now)
        parts = [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
    made = [_take_up(work, part, now) for part in parts if part]
    return {told: verdict for each in made for told, verdict in each.items()}


def _attempt(work: Work, batch: Sequence[Told], now: datetime) -> dict[Told, Verdict]:
    """Where another process met the same people first, look again."""
    attempts_left = ATTEMPTS
    while True:
        attempts_left -= 1
        try:
            with work.store.writing() as connection:
                verdicts = work.apply(connection, batch)
                inbound.mark(connection, verdicts, now)
        except (IntegrityError, StoreClash):
            if not attempts_left:
                raise
        else:
            return verdicts


def _park(store: Store, told: Told, why: str, now: datetime) -> dict[Told, Verdict]:
    verdicts = {told: Verdict(PARKED, f"it cannot be taken up: {why}")}
    with store.writing() as connection:
        inbound.mark(connection, verdicts, now)
    return verdicts
