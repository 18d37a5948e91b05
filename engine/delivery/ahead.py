"""Looks ahead in the outbox, so that the mails of one step leave together.

Mails that fall due together are of many steps, mixed. What the mails of a step have in common is worked
out once for those that leave at once, and sent once for those that share a request.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from engine.delivery.outbox import Outbox
from engine.delivery.rows import Attempt

BATCHES = 10  # how many are looked at together
GOOD_FOR = timedelta(seconds=1)  # by then others have become due, and windows have ended


class Ahead:
    """The mails that have been due longest, batch by batch, each of as few steps as may be."""

    def __init__(
        self,
        outbox: Outbox,
        batch: int,
        stopwatch: Callable[[], float] = time.monotonic,
        choose: Callable[[int], int] = random.randrange,
    ) -> None:
        self._outbox = outbox
        self._batch = batch
        self._stopwatch = stopwatch
        self._choose = choose
        self._crowded = False
        self._waiting: list[Attempt] = []
        self._full: frozenset[str] = frozenset()
        self._seen_at, self._open_at = 0.0, datetime.min.replace(tzinfo=UTC)

    def next(self, now: datetime, open_at: datetime, full: frozenset[str] = frozenset()) -> list[Attempt]:
        """One batch, as it was seen a second ago at most; another owner may claim its mails first."""
        if not self._waiting or self._full != full or self._is_old(open_at):
            self._look(now, open_at, full)
        batch, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
        return batch

    def put_back(self, mails: Collection[Attempt]) -> None:
        """These may not leave yet: they are the first of the next batch."""
        self._waiting[:0] = mails

    def was_taken(self) -> None:
        """Another owner was faster: look again, and begin elsewhere, or both go on to reach for the same."""
        self._waiting, self._crowded = [], True

    def _is_old(self, open_at: datetime) -> bool:
        passed = timedelta(seconds=self._stopwatch() - self._seen_at)
        return max(passed, abs(open_at - self._open_at)) >= GOOD_FOR

    def _look(self, now: datetime, open_at: datetime, full: frozenset[str]) -> None:
        self._full, self._seen_at, self._open_at = full, self._stopwatch(), open_at
        due = self._outbox.due(now, self._batch * BATCHES, open_at=open_at, full=full)
        start = self._batch * self._choose(BATCHES) if self._crowded and len(due) > self._batch else 0
        ordered, self._crowded = step_by_step(due), False
        self._waiting = ordered[start:] + ordered[:start]


def step_by_step(mails: Sequence[Attempt]) -> list[Attempt]:
    """Those of one step together; the step of the first one comes first."""
    steps: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for mail in mails:
        steps[mail.key.campaign_id, mail.key.step_id].append(mail)
    return [mail for step in steps.values() for mail in step]
