"""What came back of what was spent, by the age of those who paid it.

A month counts at an age once all its customers are that old; until then it is left out of that age, with
what was spent in it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from engine.reports.cohorts import Paid
from engine.reports.intervals import Interval
from engine.reports.periods import Period

DAY = timedelta(days=1)


def roi(net: int, spend: int) -> float | None:
    """What came back beyond what was spent, as a share of it; None where nothing was."""
    return net / spend - 1 if spend else None


@dataclass(frozen=True)
class Return:
    """What came back by an age, of the months whose customers are all that old."""

    days: int
    months: int
    spend: int
    customers: int
    net: int
    interval: Interval | None = None  # of the roi; at the age that decides

    @property
    def roi(self) -> float | None:
        return roi(self.net, self.spend)

    def as_json(self) -> dict[str, Any]:
        sure = self.interval
        return {
            **{name: getattr(self, name) for name in ("days", "months", "spend", "customers", "net", "roi")},
            **({"low": sure.low, "high": sure.high} if sure else {}),
        }


class Calendar:
    """The months of a report, and how old their customers are by now."""

    def __init__(self, months: Sequence[Period], now: datetime) -> None:
        self._months = months
        self._begins = [month.begins for month in months]
        self.oldest = {month.begins: (now - month.ends) // DAY for month in months}  # all are, in days
        self.names = {month.begins: month.name for month in months}

    def mature(self, days: int) -> list[datetime]:
        """The beginnings of the months whose customers are all that old."""
        return [begins for begins, age in self.oldest.items() if age >= days]

    def month_of(self, at: datetime) -> datetime:
        """The beginning of the month that an instant lies in."""
        return self._begins[bisect_right(self._begins, at) - 1]


class Ledger:
    """What one traffic cost, and what its customers paid, by month and age."""

    def __init__(
        self,
        spend: Mapping[datetime, int],
        customers: Mapping[datetime, int],
        moved: Sequence[Paid],
        calendar: Calendar,
    ) -> None:
        self._spend, self._customers, self._calendar = spend, customers, calendar
        by_month: dict[datetime, list[Paid]] = defaultdict(list)
        for each in sorted(moved):
            by_month[each.period].append(each)
        self._ages = {month: [each.age for each in paid] for month, paid in by_month.items()}
        self._sums = {
            month: [0, *accumulate(each.amount for each in paid)] for month, paid in by_month.items()
        }

    def at(self, days: int) -> Return:
        """What came back before they were so many days old, of the months that are old enough."""
        months = self._calendar.mature(days)
        return Return(
            days,
            len(months),
            sum(self._spend.get(month, 0) for month in months),
            sum(self._customers.get(month, 0) for month in months),
            sum(self._net(month, days) for month in months),
        )

    def _net(self, month: datetime, days: int) -> int:
        if month not in self._ages:
            return 0
        return self._sums[month][bisect_left(self._ages[month], days)]

    def breaks_even(self) -> int | None:
        """By which day all had come back that was spent on who is that old; None where that is not so yet."""
        turns = {age + 1 for ages in self._ages.values() for age in ages}
        turns |= {age + 1 for age in self._calendar.oldest.values()}  # from then on a month is too young
        for day in sorted(turn for turn in turns if turn > 0):
            found = self.at(day)
            if found.spend and found.net >= found.spend:
                return day
        return None

    def cohorts(self, horizons: Sequence[int]) -> list[dict[str, Any]]:
        """Each month by itself; the net at an age it has not reached is null."""
        calendar = self._calendar
        return [
            {
                "month": name,
                "spend": self._spend.get(month, 0),
                "customers": self._customers.get(month, 0),
                "net": {
                    str(days): self._net(month, days) if calendar.oldest[month] >= days else None
                    for days in horizons
                },
            }
            for month, name in calendar.names.items()
            if self._spend.get(month) or self._customers.get(month)
        ]
