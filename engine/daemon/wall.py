"""The clock on the wall, by which jobs are started: somebody may set it back, and let them wait."""

import time
from datetime import datetime, timedelta

from engine.clock import Clock, SystemClock

SLACK = timedelta(seconds=2)


class Wall:
    """Compares this machine's clock with a stopwatch, which nobody sets."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._begun = self._zero()

    def set_back(self) -> timedelta:
        """By how much it was set back since the last look, if it was."""
        before, self._begun = self._begun, self._zero()
        back = before - self._begun
        return back if back > SLACK else timedelta(0)

    def _zero(self) -> datetime:
        """What it would have shown when the stopwatch began."""
        return self._clock.now() - timedelta(seconds=time.monotonic())
