"""A year of the demonstration shop through the jobs of the daemon, on a virtual clock.

The facts come in day by day, as from a shop; campaigns plan, send and sweep as they do in a daemon. It
tells whether the last month costs what the first one did.
"""

import csv
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from benchmarks.bench import Bench
from benchmarks.child import resident
from benchmarks.findings import Aim, Finding
from benchmarks.shop import NOW, SEED
from engine.app.importing import import_into
from engine.app.project import Project
from engine.clock import VirtualClock, parse_instant
from engine.daemon.jobs import Crew
from engine.daemon.post import Post
from engine.store.tables import messages
from engine.trials.demo_shop import FILES, write_demo_shop
from engine.trials.starter import copy_starter

DAY, TICK = timedelta(days=1), timedelta(hours=3)
LONG, SHORT = (365, 30), (8, 4)  # days in all, and in what is compared as a month
CUSTOMERS_FOR_QUICK = 1_000
WHEN = {"customers.csv": "known_at"}  # elsewhere `at`
REFUND = ("refunded_at", "refund_amount")
FLAT = Aim(1.5)
Row = dict[str, str]


def ask(bench: Bench) -> Iterator[Finding]:
    """The demo's two thousand customers, or so many as are asked for where they are fewer."""
    quick = bench.large.customers < CUSTOMERS_FOR_QUICK
    customers, (days, month) = (bench.large.customers // 4, SHORT) if quick else (2_000, LONG)
    bench.say(f"{days} days of a shop with {customers:,} customers, a tick every {TICK}")
    year = Year(bench.folder / "year", customers, days, month)
    year.live()
    first, last = year.months[0], year.months[-1]
    yield Finding("mails of the year", year.mails(), "mails")
    yield Finding("a tick of the last month, against the first", last.tick, "s", first.tick, FLAT)
    yield Finding("a day's delivery, likewise", last.delivery, "s", first.delivery)
    yield Finding("memory at the end, against the first month's", last.memory, "MB", first.memory, FLAT)
    yield Finding("twice the same mail, or none where one was planned", year.wrong(), "mails")
    year.project.close()


@dataclass
class Month:
    """What its ticks took, and the memory at its end."""

    ticks: list[float] = field(default_factory=list)
    deliveries: list[float] = field(default_factory=list)
    memory: float = 0

    @property
    def tick(self) -> float:
        return median(self.ticks)

    @property
    def delivery(self) -> float:
        return sum(self.deliveries) / max(1, len(self.deliveries)) * (DAY / TICK)


class Year:
    """A project, its daemon's crew, and the days to come as rows of its files."""

    def __init__(self, folder: Path, customers: int, days: int, month: int) -> None:
        self._begins, self._days, self._month = NOW - days * DAY, days, month
        copy_starter(folder, now=self._begins)
        write_demo_shop(folder / "data", seed=SEED, customers=customers, now=NOW)
        self._to_come = _by_day(folder / "data", self._begins)
        self.clock = VirtualClock(self._begins)
        self.project = Project(folder, self.clock)
        self.months: list[Month] = []

    def live(self) -> None:
        """Day after day."""
        self._import(min(self._to_come))
        crew = Crew(Post(self.project))
        for day in range(self._days):
            if day % self._month == 0:
                self.months.append(Month())
            self._import(day)
            self._pass_a_day(crew, self.months[-1])
        crew.leave()

    def mails(self) -> int:
        with self.project.store.reading() as connection:
            accepted = select(func.count()).where(messages.c.status == "accepted")
            return connection.scalar(accepted) or 0

    def wrong(self) -> int:
        """Files of the outbox beside what is on record, either way; swept ones are none."""
        names = [path.stem for path in (self.project.folder / "outbox" / "mails").rglob("*.eml")]
        with self.project.store.reading() as connection:
            waiting = select(func.count()).where(messages.c.status.in_(("scheduled", "sending", "unknown")))
            overdue = waiting.where(messages.c.due_at < NOW - DAY)
            left_over = connection.scalar(overdue) or 0
        return len(names) - len(set(names)) + left_over

    def _pass_a_day(self, crew: Crew, month: Month) -> None:
        crew.sweeper.sweep()
        for _ in range(DAY // TICK):
            crew.planner.lead()
            month.ticks.append(_took(crew.planner.plan))
            month.deliveries.append(_took(crew.sender.deliver))
            self.clock.advance(TICK)
        month.memory = resident()

    def _import(self, day: int) -> None:
        """The rows of that day, in files as a shop's nightly job leaves them."""
        folder = self.project.folder / "incoming"
        folder.mkdir(exist_ok=True)
        files = []
        for name, rows in self._to_come.pop(day, {}).items():
            files.append(folder / name)
            with files[-1].open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        if files:
            import_into(self.project, files, now=self.clock.now() + DAY)


def _took(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _by_day(folder: Path, begins: datetime) -> dict[int, Mapping[str, Sequence[Row]]]:
    """Every row by the day of the year on which it comes; what was before it comes on day -1."""
    days: dict[int, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for name in FILES:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for day, told in _told(row, WHEN.get(name, "at"), begins):
                    days[day][name].append(told)
    return {day: dict(files) for day, files in days.items()}


def _told(row: Row, when: str, begins: datetime) -> Iterator[tuple[int, Row]]:
    """A refund is told on its own day, by the order once more."""
    happened = _day(row[when], begins)
    refunded = row.get("refunded_at") and _day(row["refunded_at"], begins)
    if isinstance(refunded, int) and refunded > happened:
        yield happened, row | dict.fromkeys(REFUND, "")
        yield refunded, row
    else:
        yield happened, row


def _day(text: str, begins: datetime) -> int:
    return max(-1, (parse_instant(text) - begins) // DAY)
