"""What others tell: taken in by the web server, taken up by the daemon and `run --once`.

Providers tell of our mails; shops, payment providers, course platforms and the events API tell facts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.app.project import Project
from engine.delivery.breaker import Fuse, break_circuits
from engine.delivery.receivers import sendgrid
from engine.delivery.receivers.applying import Applied, apply_events
from engine.facts.receiving import inbound
from engine.facts.receiving.landing import Received, land_events
from engine.facts.receiving.sources.source import Events
from engine.store.ids import IdFactory


def take_in(project: Project, body: str) -> int:
    """Keep what SendGrid told, word for word; how many events that is."""
    return inbound.keep(project.store, sendgrid.SOURCE, sendgrid.EVENT_ID, body, project.clock.now())


def take_in_facts(project: Project, source: str, events: Events) -> int:
    """Keep what a source of facts told, word for word; how many events that is."""
    return inbound.keep_events(project.store, source, events, project.clock.now())


@dataclass(frozen=True)
class Heard:
    """What was made of all that was told, and the campaigns that were paused because of it."""

    made: Applied
    received: Received
    paused: Sequence[Fuse] = ()

    @property
    def parked(self) -> int:
        return self.made.parked + self.received.parked


def take_up(project: Project, now: datetime, stop: Callable[[], bool] = lambda: False) -> Heard:
    """Decide from all that was told and not looked at yet; only then a campaign may have to stop."""
    made = apply_events(project.store, project.settings.delivery.soft_bounces, now, stop=stop)
    received = land_events(project.store, project.settings, IdFactory(), now, stop=stop)
    if not made.applied:
        return Heard(made, received)
    ids = {campaign.id for campaign in project.book.campaigns}
    with project.store.writing() as connection:
        return Heard(made, received, break_circuits(connection, project.settings.breaker, ids, now))
