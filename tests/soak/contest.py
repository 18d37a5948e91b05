"""A daemon, imports and questions at once on one SQLite file: nobody may be told that it is locked.

`make contest`, or `python -m tests.soak.contest --seconds 600`. All are the real commands, as processes,
on the real clock: `aftersale run` plans and sends every second, one import follows the other, and in
between people ask and pause. It prints how often each was called and how long the slowest took, and ends
with 1 where a command failed, the daemon complained, or somebody was told of a lock.
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path

from engine.app.project import Project
from engine.clock import SystemClock
from tests.conftest import ROOT
from tests.soak.reckoning import states
from tests.soak.shop import make_shop

AFTERSALE = [sys.executable, "-W", "ignore", "-c", "from engine.cli import main; main()"]
FORBIDDEN = ("locked", "held by another process", "Traceback")
ENVIRONMENT = {
    "CONSENT__DEFAULT": "soft_opt_in",
    "BREAKER__AT_LEAST": "1000000",
    "FREQUENCY": "[]",
    "RUN__EVERY": "1s",
    "RUN__LOG": "json",
}
AT_LEAST = 4  # commands of each of those who ask, however slow the machine is
DEADLINE = 300.0  # seconds for one command, and for the daemon to end
Words = Sequence[str]


@dataclass
class Told:
    """What was seen: calls and the slowest of each command, and whatever should not have been."""

    calls: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    waited: int = 0  # how often a command said that it waits for its turn
    wrong: list[str] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    customers: int = 0

    def note(self, words: Words, code: int, said: str, seconds: float) -> None:
        name = words[0]
        self.calls[name] += 1
        self.slowest[name] = max(seconds, self.slowest.get(name, 0))
        self.waited += said.count("another process is writing")
        allowed = (0, 1) if name == "doctor" else (0,)
        if code not in allowed or any(word in said for word in FORBIDDEN):
            self.wrong.append(f"aftersale {' '.join(words)} ended with {code}: {said.strip()[-400:]}")

    def lines(self) -> Iterator[str]:
        for name, calls in sorted(self.calls.items()):
            yield f"{calls:>8,} times {name}, the slowest in {self.slowest[name]:.1f} s"
        yield f"{self.waited:>8,} times somebody waited longer than a second for another's writing, and was told so"
        yield f"{self.customers:>8,} customers at the end"
        yield from (f"{number:>8,} mails {status}" for status, number in sorted(self.mails.items()))


def contest(folder: Path, seconds: float, customers: int) -> Told:
    """Make a shop in `folder`, let all at it for so many seconds, and tell what was seen."""
    shop, told = folder / "shop", Told()
    surroundings = {**os.environ, **{f"AFTERSALE_{name}": value for name, value in ENVIRONMENT.items()}}
    surroundings["PYTHONPATH"] = str(ROOT)
    make_shop(shop, customers, SystemClock().now() - timedelta(hours=2), wait="1m")

    def ask_until_the_end(commands: Iterator[Words]) -> None:
        end = time.monotonic() + seconds
        for number, words in enumerate(commands):
            start = time.monotonic()
            if start > end and number >= AT_LEAST:
                return
            said = subprocess.run(
                [*AFTERSALE, *words],
                check=False,
                cwd=shop,
                env=surroundings,
                capture_output=True,
                text=True,
                timeout=DEADLINE,
            )
            told.note(words, said.returncode, said.stdout + said.stderr, time.monotonic() - start)

    log = folder / "daemon.log"
    askers = (_imports(shop), _asks(), _pauses())
    with _daemon(shop, surroundings, log) as daemon, ThreadPoolExecutor() as hands:
        for work in [hands.submit(ask_until_the_end, who) for who in askers]:
            work.result()
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(DEADLINE)
    said = log.read_text()
    told.wrong += [
        line for line in said.splitlines() if any(word in line for word in (*FORBIDDEN, '"failed"'))
    ]
    told.wrong += [f"the daemon ended with {code}"] if code else []
    _count(shop, told)
    return told


@contextmanager
def _daemon(shop: Path, surroundings: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`aftersale run`, once it has planned for the first time; it is killed at the end, unless it has ended."""
    with log.open("w") as mouth:
        daemon = subprocess.Popen([*AFTERSALE, "run"], cwd=shop, env=surroundings, stderr=mouth)
        try:
            while '"planned"' not in log.read_text():
                assert daemon.poll() is None, log.read_text()
                time.sleep(0.2)
            yield daemon
        finally:
            daemon.kill()
            daemon.wait()


def _imports(shop: Path) -> Iterator[Words]:
    """Fresh customers with an order each, one file after the other, and each file twice."""
    for number in count():
        name = f"orders-{number}.csv"
        _write_orders(shop / name, number, 200)
        yield "import", name
        yield "import", name


def _write_orders(file: Path, number: int, many: int) -> None:
    at = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    with file.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["order_id", "email", "at", "line_id", "sku", "quantity", "unit_price", "currency"])
        for n in range(many):
            one = f"{number}-{n}"
            rows.writerow([f"C-{one}", f"c{one}@example.com", at, "1", "flour", 1, "24.00", "USD"])


def _asks() -> Iterator[Words]:
    return cycle(
        (
            ("status",),
            ("outbox",),
            ("explain", "ann@example.com"),
            ("preview", "--days", "0"),
            ("segment", "lapsed"),
            ("doctor",),
        )
    )


def _pauses() -> Iterator[Words]:
    return cycle((("pause", "win-back"), ("status", "--json"), ("resume", "win-back"), ("outbox", "--json")))


def _count(shop: Path, told: Told) -> None:
    project = Project(shop, SystemClock())
    found = states(project)
    told.mails.update(found.values())
    names = [path.stem for path in (shop / "outbox" / "mails").rglob("*.eml")]
    doubled, lost = (
        len(names) - len(set(names)),
        {one for one, is_in in found.items() if is_in == "accepted"} - {*names},
    )
    told.wrong += [f"{doubled} mails twice, {len(lost)} lost"] if doubled or lost else []
    with project.store.reading() as connection:
        told.customers = connection.exec_driver_sql("select count(*) from customers").scalar() or 0
    project.close()


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.soak.contest", description=__doc__)
    options.add_argument("--seconds", type=float, default=600, help="how long; default: 600")
    options.add_argument("--customers", type=int, default=300, help="at the beginning; default: 300")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="aftersale-contest-") as folder:
        return _tell(contest(Path(folder), given.seconds, given.customers), print)


def _tell(told: Told, say: Callable[[str], None]) -> int:
    for line in told.lines():
        say(line)
    for wrong in told.wrong:
        say(f"wrong: {wrong}")
    say("\nsomebody was told of a lock, or worse" if told.wrong else "\nnobody was told of a lock")
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
