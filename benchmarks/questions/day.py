"""One campaign that everybody is due in, from the plan to a sink: rate, memory, and where the time goes.

The sink keeps the names of the mails on disk, and not what they say: a million files would measure the disk.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

from benchmarks import crowd
from benchmarks.bench import Bench
from benchmarks.child import forget_peak, peak, resident
from benchmarks.findings import Aim, Finding
from benchmarks.questions.sending import Stopwatch
from benchmarks.shop import NOW
from engine.app.project import Project
from engine.app.running import plan_now
from engine.clock import VirtualClock
from engine.delivery.deliver import Way, deliver
from engine.delivery.transports.base import Receipt, Trace
from engine.delivery.transports.content import as_bytes
from engine.planning.state import be_the_planner
from engine.rendering.mail import Mail

MEGABYTES, FLAT = Aim(1), Aim(1.25)
MOST = 300  # MB
DATABASE = "aftersale.db"  # as settings have it where nobody says otherwise
TEMPLATE = "win-back/from-the-oven.html"
CAMPAIGN = f"""
campaign: everybody
audience: {{ordered: {{at_least: 1}}}}
holdout: 0%
steps:
  - id: news
    after: 0
    email: {{subject: New from the oven, template: {TEMPLATE}}}
"""


class Names:
    """Stands in for the folder: keeps names alone. Notes the memory when a tenth has left."""

    name: ClassVar[str] = "folder"
    exactly_once: ClassVar[bool] = True

    def __init__(self, file: Path, mails: int) -> None:
        self._file = file.open("a", encoding="ascii")
        self._left, self._tenth = 0, mails // 10
        self.memory = 0.0

    def send(self, mail: Mail) -> Receipt:
        """The mail is put together, as it is for a file."""
        as_bytes(mail)
        self._file.write(f"{mail.message_id}\n")
        self._left += 1
        if self._left == self._tenth:
            self.memory = resident()
        return Receipt(mail.message_id)

    def flush(self) -> None:
        self._file.flush()

    def look_up(self, message_id: str, planned_at: datetime) -> Trace:
        return Trace.MISSING

    def close(self) -> None:
        self._file.close()


def ask(bench: Bench) -> Iterator[Finding]:
    """A mail to each customer of the shop who ordered, which is nearly everybody."""
    customers = bench.large.customers
    project = shop_of_everybody(bench, "day", customers)
    parts = {name: Stopwatch() for name in ("planning", "writing", "the sink")}
    studio, sink, whole = project.studio, Names(bench.folder / "day.names", customers), Stopwatch()
    studio.compose = parts["writing"].around(studio.compose)
    sink.send = parts["the sink"].around(sink.send)
    plan = parts["planning"].around(plan_now)
    way = Way(project.store, studio, sink, project.settings, "benchmarks", lambda _: None)
    forget_peak()
    whole.around(plan)(project, NOW, partial(be_the_planner, owner="benchmarks"))
    delivered = whole.around(deliver)(way, NOW)
    sink.close()
    yield Finding("a day's mails", delivered.accepted / whole.seconds, "mails/s", note=str(delivered))
    rest = whole.seconds - sum(part.seconds for part in parts.values())
    for name, seconds in {**{n: part.seconds for n, part in parts.items()}, "the outbox": rest}.items():
        yield Finding(f"of it, {name}", 100 * seconds / whole.seconds, "%")
    yield Finding("memory at the end, after a tenth", resident(), "MB", sink.memory, FLAT)
    yield Finding(f"memory at most, {MOST} MB", peak(), "MB", MOST, MEGABYTES)
    names = (bench.folder / "day.names").read_text(encoding="ascii").split()
    yield Finding(
        "mails twice, or lost", len(names) - len({*names}) + delivered.accepted - len(names), "mails"
    )
    project.close()


def shop_of_everybody(bench: Bench, name: str, customers: int) -> Project:
    """A shop of that many customers with one campaign, in which nearly everybody is due."""
    folder = bench.empty_project(name)
    for file in (folder / "campaigns").glob("*.yaml"):
        if file.name not in ("products.yaml", "segments.yaml"):
            file.unlink()
    (folder / "campaigns" / "everybody.yaml").write_text(CAMPAIGN, encoding="utf-8")
    bench.say(f"laying out {customers:,} customers, {10 * customers:,} order lines and as many uses")
    crowd.lay_apart(folder / DATABASE, customers)
    return Project(folder, VirtualClock(NOW))
