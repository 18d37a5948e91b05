"""What may leave now by all rates: of a new sender's day, of the whole delivery, and of single domains.

A domain that has no room holds up nobody else. Its mails stay as they are, and are looked at again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from engine.delivery.outbox import Outbox
from engine.delivery.rows import Attempt
from engine.delivery.throttle import MINUTE, Throttle, interval
from engine.delivery.warm_up import Ramp
from engine.settings.delivery import Delivery
from engine.store.connect import Store


class Gate:
    """Lets mails through, no faster than any rate says. `per_domain` is in mails a minute.

    `clock` tells which day it is.
    """

    def __init__(
        self,
        outbox: Outbox,
        delivery: Delivery,
        per_domain: Mapping[str, int],
        ramp: Ramp,
        clock: Callable[[], datetime],
    ) -> None:
        every = interval(delivery)
        self.throttle = Throttle(outbox.store, every) if every else None
        self._domains = {domain: _of(outbox.store, domain, rate) for domain, rate in per_domain.items()}
        self._outbox = outbox
        self._ramp = ramp
        self.clock = clock
        self._taken_at = clock()
        self.day_is_over = False  # for a new sender: what may leave today has left

    def full(self) -> frozenset[str]:
        """The domains that no mail may leave to now."""
        return frozenset(domain for domain, rate in self._domains.items() if not rate.room(1))

    def through(self, waiting: Sequence[Attempt]) -> list[Attempt]:
        """Those that leave now, and have the permission of every rate."""
        domains = self._outbox.domains(waiting) if self._domains else {}
        fitting = self._at_most(waiting, domains, lambda rate, wanted: rate.room(wanted))
        now = self.clock()
        today = self._ramp.take(len(fitting), now) if fitting else 0
        self.day_is_over = bool(fitting) and not today
        allowed = self.throttle.take(today) if self.throttle and today else today
        through = self._at_most(fitting[:allowed], domains, lambda rate, wanted: rate.take(wanted))
        self._taken_at = now
        self.give_back(today - len(through))
        return through

    def give_back(self, number: int) -> None:
        """Of those let through last, so many have not left: another mail of that day may."""
        self._ramp.give_back(number, self._taken_at)

    def pause(self, full: Iterable[str]) -> timedelta:
        """How long until one of those domains has room; without any, until the whole delivery has."""
        rates = [self._domains[domain] for domain in full] or ([self.throttle] if self.throttle else [])
        return min((rate.pause() for rate in rates), default=timedelta(0))

    def _at_most(
        self, mails: Sequence[Attempt], domains: Mapping[Attempt, str], number: Callable[[Throttle, int], int]
    ) -> list[Attempt]:
        """Without those that are too many for their domain."""
        wanted = Counter(domains[mail] for mail in mails if domains.get(mail) in self._domains)
        left = {domain: number(self._domains[domain], many) for domain, many in wanted.items()}
        seen: Counter[str] = Counter()
        kept = []
        for mail in mails:
            domain = domains.get(mail, "")
            seen[domain] += 1
            if seen[domain] <= left.get(domain, seen[domain]):
                kept.append(mail)
        return kept


def _of(store: Store, domain: str, per_minute: int) -> Throttle:
    return Throttle(store, MINUTE / per_minute, f"to {domain}")
