"""demo: the whole story on the bundled shop, over one week of a virtual clock."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from sqlalchemy import func, select

from engine.app.importing import import_into
from engine.app.mail_index import write_index
from engine.app.project import Project
from engine.app.running import run_once
from engine.campaigns.model import FRONT_END, Campaign
from engine.clock import VirtualClock
from engine.delivery.states import Status
from engine.facts.importing import ImportSummary
from engine.planning.readout import Count
from engine.reports.both_tracks import InBoth, offered_in_both
from engine.store.ids import IdFactory
from engine.store.tables import messages, transactions
from engine.trials.demo_shop import FILES, TRAFFIC, write_demo_shop
from engine.trials.starter import copy_starter

SEED = 20_260_301
OPENED = datetime(2026, 3, 1, tzinfo=UTC)  # when the bakery's ids were given out
WEEK = timedelta(days=7)
TICK = timedelta(hours=2)
FINE = timedelta(minutes=10)  # inside transactions, where minutes count
MARK = ".aftersale-demo"  # tells a folder that may be made anew


@dataclass
class Week:
    """What happened in it: mails by campaign and step, everything else by verdict and reason."""

    mails: Counter[tuple[str, str]] = field(default_factory=Counter)
    others: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, count: Count) -> None:
        if count.verdict == "skip":  # a hold is told anew at every tick
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


def ticks(project: Project) -> list[datetime]:
    """When to run in the week from now: every two hours, and when front-end mails fall due.

    The daemon looks every minute. Here the minutes in which nothing can happen are left out: those
    that are left are rounded up to ten.
    """
    start = project.clock.now()
    waits = [wait for each in project.book.campaigns if each.track == FRONT_END for wait in _waits(each)]
    opened = select(transactions.c.opened_at).where(transactions.c.opened_at.between(start, start + WEEK))
    with project.store.reading() as connection:
        due = [at + wait - start for at in connection.scalars(opened) for wait in waits]
    fine = {-(-each // FINE) * FINE for each in due}
    coarse = {number * TICK for number in range(WEEK // TICK + 1)}
    return [start + each for each in sorted(fine | coarse) if each <= WEEK]


def _waits(campaign: Campaign) -> Iterator[timedelta]:
    """How long after the entry each of its steps falls due."""
    return accumulate(step.after for step in campaign.steps)


def run_week(project: Project, instants: Sequence[datetime], tick: Callable[[datetime], None]) -> Week:
    """Run at each of these instants."""
    clock = project.clock
    assert isinstance(clock, VirtualClock)  # noqa: S101 - make_shop gave it
    week = Week()
    for at in instants:
        clock.advance(at - clock.now())
        for count in run_once(project, at, progress=lambda _: None).decided:
            week.add(count)
        tick(at)
    week.mails.update(_left(project))
    return week


def _left(project: Project) -> Mapping[tuple[str, str], int]:
    """The mails that have left; one that somebody said no to since it was planned has not."""
    step = messages.c.campaign_id, messages.c.step_id
    asked = select(*step, func.count()).where(messages.c.status == Status.ACCEPTED).group_by(*step)
    with project.store.reading() as connection:
        return {(campaign, step): number for campaign, step, number in connection.execute(asked)}


def in_both(project: Project) -> list[InBoth]:
    """What was offered in the front end of the week, and in its back end."""
    now = project.clock.now()
    quiet = project.settings.front_end.quiet
    with project.store.reading() as connection:
        return offered_in_both(connection, project.book.campaigns, quiet, now - WEEK, now)


def show_mails(project: Project) -> Path:
    """The page over all mails of the week; returns its path."""
    outbox = project.folder / project.settings.delivery.folder
    return write_index(outbox, f"{project.settings.shop.name}: one week of mail")
