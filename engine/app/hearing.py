"""What providers tell of our mails: taken in by the web server, taken up by the daemon and `run --once`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.app.project import Project
from engine.delivery.breaker import Fuse, break_circuits
from engine.delivery.receivers import inbound, sendgrid
from engine.delivery.receivers.applying import Applied, apply_events


def take_in(project: Project, body: str) -> int:
    """Keep what SendGrid told, word for word; how many events that is."""
    return inbound.keep(project.store, sendgrid.SOURCE, sendgrid.EVENT_ID, body, project.clock.now())


@dataclass(frozen=True)
class Heard:
    """What was made of all that was told, and the campaigns that were paused because of it."""

    made: Applied
    paused: Sequence[Fuse] = ()


def take_up(project: Project, now: datetime, stop: Callable[[], bool] = lambda: False) -> Heard:
    """Decide from all that was told and not looked at yet; only then a campaign may have to stop."""
    made = apply_events(project.store, project.settings.delivery.soft_bounces, now, stop=stop)
    if not made.applied:
        return Heard(made)
    ids = {campaign.id for campaign in project.book.campaigns}
    with project.store.writing() as connection:
        return Heard(made, break_circuits(connection, project.settings.breaker, ids, now))
