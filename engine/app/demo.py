"""demo: the whole story on the bundled shop, over one week of a virtual clock."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.app.importing import import_into
from engine.app.mail_index import write_index
from engine.app.project import Project
from engine.app.running import run_once
from engine.clock import VirtualClock
from engine.facts.importing import ImportSummary
from engine.planning.readout import Count
from engine.store.ids import IdFactory
from engine.trials.demo_shop import FILES, TRAFFIC, write_demo_shop
from engine.trials.starter import copy_starter

SEED = 20_260_301
OPENED = datetime(2026, 3, 1, tzinfo=UTC)  # when the bakery's ids were given out
WEEK = timedelta(days=7)
TICK = timedelta(hours=2)
MARK = ".aftersale-demo"  # tells a folder that may be made anew


@dataclass
class Week:
    """What happened in it: mails by campaign and step, everything else by verdict and reason."""

    mails: Counter[tuple[str, str]] = field(default_factory=Counter)
    others: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, count: Count) -> None:
        if count.leaves:
            self.mails[count.campaign, count.step] += count.people
        elif count.verdict == "skip":  # a hold is told anew at every tick
            self.others[count.verdict, count.reason] += count.people


def make_shop(folder: Path, now: datetime, customers: int) -> Project:
    """A fresh project with the shop's facts up to `now` as files in data/. An older demo makes room."""
    if (folder / MARK).exists():
        shutil.rmtree(folder)
    copy_starter(folder, now=now)
    (folder / MARK).touch()
    write_demo_shop(folder / "data", seed=SEED, customers=customers, now=now, traffic=True)
    return Project(folder, VirtualClock(now - WEEK))


def import_shop(project: Project) -> list[ImportSummary]:
    """Read the files of the shop into its store."""
    files = [project.folder / "data" / name for name in (*FILES, *TRAFFIC)]
    ids = IdFactory(VirtualClock(OPENED), seed=SEED)  # the same people are held out in every demo
    return import_into(project, files, now=project.clock.now() + WEEK, ids=ids)


def run_week(project: Project, tick: Callable[[datetime], None]) -> Week:
    """Run every two hours for a week."""
    clock = project.clock
    assert isinstance(clock, VirtualClock)  # noqa: S101 - make_shop gave it
    week, end = Week(), clock.now() + WEEK
    while clock.now() <= end:
        for count in run_once(project, clock.now(), progress=lambda _: None).decided:
            week.add(count)
        tick(clock.now())
        clock.advance(TICK)
    return week


def show_mails(project: Project) -> Path:
    """The page over all mails of the week; returns its path."""
    outbox = project.folder / project.settings.delivery.folder
    return write_index(outbox, f"{project.settings.shop.name}: one week of mail")
