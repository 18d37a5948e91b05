"""What others tell: taken in by the web server, taken up by the daemon and `run --once`.

Providers tell of our mails; shops, payment providers, course platforms and the events API tell facts. Where
the database has one writer, what they tell is spooled first, and brought into it as soon as it is free.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.app.project import Project
from engine.delivery.breaker import Fuse, break_circuits
from engine.delivery.receivers import sendgrid
from engine.delivery.receivers.applying import Applied, apply_events
from engine.errors import StoreError, relative
from engine.facts.receiving import draining, inbound
from engine.facts.receiving.draining import Drained
from engine.facts.receiving.landing import Received, land_events
from engine.facts.receiving.sources.source import Events
from engine.rules.words import times
from engine.store.ids import IdFactory


def take_in(project: Project, body: str) -> int:
    """Keep what SendGrid told, word for word; how many events that is."""
    return take_in_facts(project, sendgrid.SOURCE, inbound.named(body, sendgrid.EVENT_ID))


def take_in_facts(project: Project, source: str, events: Events) -> int:
    """Keep what a source told, word for word; how many events that is. They are safe when this returns."""
    now = project.clock.now()
    if not project.spools:
        return inbound.keep_events(project.store, source, events, now)
    told = inbound.as_told(source, events, now)
    project.spool.events.put(told)
    return len(told)


def drain(project: Project, *, within: int | None = None) -> Drained:
    """Bring into the database what was spooled, wishes before anything else. Raises StoreError."""
    spool = project.spool
    if not spool.wishes.files() and not spool.events.files():
        return Drained()
    if gone := project.lost():  # a new one would be made in its place
        raise gone
    now, wishes = project.clock.now(), project.wishes
    done = wishes.carry_out(now, within=within)
    for path in spool.events.take():
        done = done.and_also(draining.bring_in(project.store, path, within=within))
        done = done.and_also(wishes.carry_out(now, within=within))
    return done


def drain_whole(project: Project) -> None:
    """The same for who must know all of a person. Raises StoreError where something stays behind."""
    if unread := drain(project).unread:
        spool = relative(project.folder / project.settings.state / "spool")
        msg = f"what was told may name them, and {times(unread, 'file')} in {spool} cannot be read"
        raise StoreError(msg)


@dataclass(frozen=True)
class Heard:
    """What was made of all that was told, and the campaigns that were paused because of it."""

    made: Applied
    received: Received
    drained: Drained
    paused: Sequence[Fuse] = ()

    @property
    def parked(self) -> int:
        return self.made.parked + self.received.parked


def take_up(project: Project, now: datetime, stop: Callable[[], bool] = lambda: False) -> Heard:
    """Decide from all that was told and not looked at yet; only then a campaign may have to stop."""
    drained = drain(project)
    made = apply_events(project.store, project.settings.delivery.soft_bounces, now, stop=stop)
    received = land_events(project.store, project.settings, IdFactory(), now, stop=stop)
    if not made.applied:
        return Heard(made, received, drained)
    ids = {campaign.id for campaign in project.book.campaigns}
    with project.store.writing() as connection:
        return Heard(made, received, drained, break_circuits(connection, project.settings.breaker, ids, now))
