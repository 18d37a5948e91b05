"""Projects as `aftersale init` makes them, and an invented shop's facts imported at NOW."""

from datetime import datetime
from pathlib import Path

from benchmarks.hours import at_any_hour
from engine.app.importing import import_into
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.store.ids import IdFactory
from engine.trials.demo_shop import FILES, write_demo_shop
from engine.trials.starter import copy_starter
from tests.conftest import NOW

# Two campaigns are quickly read; and every command that a test types reads them anew.
TWO = {"win-back", "stalled-learner", "products", "segments"}


def start(shop: Path, only: set[str] | None = None, now: datetime = NOW) -> None:
    """A project without facts, whose mails go at any hour. `only` names the campaign files that are kept."""
    copy_starter(shop, now=now)
    at_any_hour(shop)
    for file in (shop / "campaigns").glob("*.yaml"):
        if only and file.stem not in only:
            file.unlink()


def lay_out(shop: Path, customers: int, only: set[str] | None = None, now: datetime = NOW) -> None:
    """A project in which so many customers were imported."""
    start(shop, only, now)
    write_demo_shop(shop / "data", seed=3, customers=customers, now=now)
    project = Project(shop, VirtualClock(now))
    ids = IdFactory(VirtualClock(now), seed=3)  # the same people are held out in every run
    import_into(project, [shop / "data" / name for name in FILES], now=now, ids=ids)
    project.close()
