"""All that the daemon does, and how often: one line for each job."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.triggers.base import BaseTrigger

from engine.campaigns.crontab import Crontab
from engine.daemon.finder import Finder
from engine.daemon.inbox import Inbox
from engine.daemon.listener import Listener
from engine.daemon.lists import Lists
from engine.daemon.planner import Planner
from engine.daemon.post import Post
from engine.daemon.reader import Reader
from engine.daemon.returns import Returns
from engine.daemon.sender import Sender
from engine.daemon.sweeper import Sweeper
from engine.settings.model import Settings

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LISTEN = timedelta(seconds=5)
NIGHTLY, MORNINGS = "0 3 * * *", "0 8 * * *"  # in the shop's zone
THREADS = {"planning": 1, "sending": 1, "asking": 1, "chores": 3}
# what plans, what sends, what waits for a provider's answers, and the rest never share one


@dataclass(frozen=True)
class Job:
    """What is done, in whose threads, when, and whether at the start as well."""

    name: str
    does: Callable[[], None]
    threads: str
    trigger: Any
    at_once: bool = True

    @property
    def every(self) -> timedelta | None:
        """How long it waits in between; None where it has its hour."""
        return self.trigger.span if isinstance(self.trigger, Every) else None


class Crew:
    """Everybody who works in one daemon."""

    def __init__(self, post: Post) -> None:
        self.planner = Planner(post)
        self.sender = Sender(post)
        self.reader = Reader(post)
        self.inbox = Inbox(post, self.planner)
        self.returns = Returns(post, self.planner)
        self.sweeper = Sweeper(post, self.planner)
        self.listener = Listener(post, self.planner)
        self.lists = Lists(post, self.planner)
        self.finder = Finder(post, self.planner)

    def leave(self) -> None:
        """Nobody works any more: let go of everything."""
        self.planner.leave()
        self.sender.close()


def jobs(crew: Crew, settings: Settings) -> Iterator[Job]:
    """The whole list. `plan` waits until there is a lead to plan with, and is woken then."""
    run = settings.run
    yield Job("lead", crew.planner.lead, "planning", Every(run.lead / 3))
    yield Job("plan", crew.planner.plan, "planning", Every(run.every), at_once=False)
    yield Job("reconcile", crew.sender.reconcile, "sending", Every(settings.delivery.lease))
    yield Job("deliver", crew.sender.deliver, "sending", Every(SECOND))
    yield Job("reload", crew.reader.reload, "chores", Every(SECOND))
    yield Job("listen", crew.listener.listen, "chores", Every(LISTEN))
    yield Job("notice", crew.listener.notice, "chores", ByClock(MORNINGS, settings.zone), at_once=False)
    yield Job("sweep", crew.sweeper.sweep, "chores", ByClock(NIGHTLY, settings.zone), at_once=False)
    if settings.sendgrid.look_up != "off":
        yield Job("look up", crew.finder.look, "asking", Every(MINUTE))
    if settings.sendgrid_lists != "off":
        yield Job(
            "suppressions", crew.lists.compare, "asking", ByClock(NIGHTLY, settings.zone), at_once=False
        )
    if settings.smtp.bounces_folder:
        yield Job("bounces", crew.returns.read, "chores", Every(MINUTE))
    if settings.watch.folder:
        yield Job("watch", crew.inbox.watch, "chores", Every(settings.watch.every))


def executors() -> dict[str, Any]:
    """The threads by name."""
    return {name: ThreadPoolExecutor(number) for name, number in THREADS.items()}


class Every(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Again and again. The library's own goes through every time that a clock set forward has left out."""

    def __init__(self, span: timedelta) -> None:
        self.span = span

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """So long after the one before, or after now where that has passed."""
        following = (previous or now) + self.span
        return following if following > now else now + self.span


class ByClock(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """By a crontab's line in a zone. The library's own goes round for ever in an hour shown twice."""

    def __init__(self, line: str, zone: ZoneInfo) -> None:
        self._crontab, self._zone = Crontab(line), zone

    def get_next_fire_time(self, _: datetime | None, now: datetime) -> datetime:
        """The first moment after now: what was missed is not caught up with."""
        return self._crontab.next_moment(now, self._zone)
