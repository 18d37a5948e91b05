"""What providers tell of our mails: taken in by the web server, taken up by the daemon and `run --once`."""

from collections.abc import Callable
from datetime import datetime

from engine.app.project import Project
from engine.delivery import breaker
from engine.delivery.breaker import Fuse
from engine.delivery.receivers import inbound, sendgrid
from engine.delivery.receivers.applying import Applied, apply_events


def take_in(project: Project, body: str) -> int:
    """Keep what SendGrid told, word for word; how many events that is."""
    return inbound.keep(project.store, sendgrid.SOURCE, sendgrid.EVENT_ID, body, project.clock.now())


def break_circuits(project: Project, now: datetime) -> list[Fuse]:
    """Pause the campaigns of which too much came back, and say which."""
    ids = {campaign.id for campaign in project.book.campaigns}
    with project.store.writing() as connection:
        return breaker.break_circuits(connection, project.settings.breaker, ids, now)


def take_up(project: Project, now: datetime, stop: Callable[[], bool] = lambda: False) -> Applied:
    """Decide from all that was told and not looked at yet."""
    return apply_events(project.store, project.settings.sendgrid.soft_bounces, now, stop=stop)
