"""What may hold mails up on their way out, though they are due: the rate, and a new sender's ramp."""

from collections.abc import Callable
from datetime import datetime

from engine.delivery.throttle import Throttle
from engine.delivery.warm_up import Ramp

Wait = Callable[[float], None]


class Gates:
    """Gives permission for mails; all processes share it. `clock` tells which day it is."""

    def __init__(
        self,
        ramp: Ramp,
        throttle: Throttle | None,
        clock: Callable[[], datetime],
        progress: Callable[[str], None],
    ) -> None:
        self.clock = clock
        self._ramp = ramp
        self._throttle = throttle
        self._progress = progress
        self._said: set[str] = set()
        self._day_is_over = False

    def take(self, wanted: int) -> int:
        """Permission for so many mails, or for fewer, or for none yet."""
        now = self.clock()
        given = self._ramp.take(wanted, now)
        self._day_is_over = not given
        allowed = self._throttle.take(given) if self._throttle and given else given
        self._ramp.give_back(given - allowed, now)
        return allowed

    def wait(self, sleep: Wait | None) -> bool:
        """Sleep until there may be permission; False where that would be too long, or nobody may sleep."""
        if not sleep:
            return False
        if self._day_is_over:
            self._say("the mails that a new sender may send today are used up; the rest goes tomorrow")
        if self._day_is_over or not self._throttle:
            return False
        self._say(f"mails leave one every {self._throttle.interval.total_seconds():g} s, as the rate says")
        sleep(self._throttle.pause().total_seconds())
        return True

    def _say(self, what: str) -> None:
        if what not in self._said:
            self._progress(what)
        self._said.add(what)
