"""Projects as `aftersale init` makes them, and an invented shop's facts imported at NOW."""

from pathlib import Path

from engine.app.importing import import_into
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.store.ids import IdFactory
from engine.trials.demo_shop import FILES, write_demo_shop
from engine.trials.starter import copy_starter
from tests.conftest import NOW

# Two campaigns are quickly read; and every command that a test types reads them anew.
TWO = {"win-back", "stalled-learner", "products", "segments"}


def start(shop: Path, only: set[str] | None = None) -> None:
    """A project without facts. `only` names the campaign files that are kept."""
    copy_starter(shop, now=NOW)
    for file in (shop / "campaigns").glob("*.yaml"):
        if only and file.stem not in only:
            file.unlink()


def lay_out(shop: Path, customers: int, only: set[str] | None = None) -> None:
    """A project in which so many customers were imported."""
    start(shop, only)
    write_demo_shop(shop / "data", seed=3, customers=customers, now=NOW)
    project = Project(shop, VirtualClock(NOW))
    ids = IdFactory(VirtualClock(NOW), seed=3)  # the same people are held out in every run
    import_into(project, [shop / "data" / name for name in FILES], now=NOW, ids=ids)
    project.close()
