"""preview: who gets what when, and who does not and why. It reads the very plan that `run` merges."""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from engine.app.project import Project
from engine.campaigns.names import Names
from engine.delivery.transports.base import Trace
from engine.planning.desk import Desk
from engine.planning.forecast import assume_sent, forecast
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.readout import (
    Count,
    RunAnswer,
    Sending,
    answers,
    audience_sizes,
    decided,
    entering,
    sendings,
    standing,
)
from engine.planning.state import State, imagined, read_at, refuse_the_past
from engine.rendering.mail import Mail, MailOrder, Unwritable
from engine.rules.words import times

BATCH = 500
NOBODY_IN = "Nobody is in a campaign, or in the audience of one"


@dataclass(frozen=True)
class Day:
    """So many mails of a step on a day in the shop's time zone. All but today's first are forecasts."""

    day: str
    campaign: str
    step: str
    mails: int
    forecast: bool

    def as_json(self) -> dict[str, Any]:
        return self.__dict__ | {}


@dataclass(frozen=True)
class Moment:
    """What is decided about one customer at an instant."""

    at: datetime
    answer: RunAnswer
    forecast: bool


@dataclass
class Preview:
    """An open preview of one instant; its connection sees one consistent state of the store."""

    project: Project
    connection: Connection
    state: State
    desk: Desk
    now: datetime
    only: int | None
    unwritable: list[Unwritable] = field(default_factory=list)

    def counts(self) -> list[Count]:
        """Steps that are due, by verdict and reason, then people for whom none is due."""
        found = (*decided(self.connection, self.desk), *standing(self.connection, self.desk, self.state))
        return [self.names.shown(count) for count in found]

    def audiences(self) -> dict[str, int]:
        sizes = audience_sizes(self.connection, self.desk, self.state)
        return {self.names.campaign(each): size for each, size in sizes.items()}

    def entering(self) -> dict[str, int]:
        return {self.names.campaign(each): n for each, n in entering(self.connection, self.desk).items()}

    @property
    def names(self) -> Names:
        return self.project.files.names

    def sendings(self) -> Generator[Sending, None, None]:
        """Every mail a run at this instant would try to send."""
        return sendings(self.connection, self.desk)

    def mails(self) -> Generator[Mail, None, None]:
        """Every mail, written out; those that cannot be written are noted in `unwritable`.

        Who does not read it to its end closes it: until then the plan that it reads cannot move on.
        """
        with closing(self.sendings()) as every:
            yield from self._written(every)

    def _written(self, sendings: Iterator[Sending]) -> Iterator[Mail]:
        self.unwritable.clear()
        while batch := list(islice(sendings, BATCH)):
            yield from self._compose(batch)

    def sample(self, most: int, campaign: str | None = None) -> list[Mail]:
        """The first few of them, or of one campaign; no more than so many are written at a time."""
        with closing(self.sendings()) as every:
            meant = (s for s in every if campaign in (None, self.names.campaign(s.key.campaign_id)))
            return list(islice(self._written(meant), most))

    def _compose(self, batch: Sequence[Sending]) -> Iterator[Mail]:
        orders = [MailOrder(sending.key, sending.planned_at) for sending in batch]
        for written in self.project.studio.compose(self.connection, orders, self.now):
            if isinstance(written, Mail):
                yield written
            else:
                self.unwritable.append(written)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Look at everything, days ahead too, and find the preview afterwards as it was."""
        look = self.connection.begin_nested()
        try:
            yield
        finally:
            look.rollback()

    def calendar(self, days: int) -> list[Day]:
        """The mails of each coming day. This ends the preview: its imagined state moves on."""
        zone = self.project.settings.zone
        counted = Counter(
            {(_day(self.now, zone), c.campaign, c.step, False): c.people for c in self._sends()}
        )
        for at, desk in self._ahead(days):
            for count in decided(self.connection, desk):
                if count.leaves:
                    counted[_day(at, zone), count.campaign, count.step, True] += count.people
        found = (Day(day, c, s, mails, late) for (day, c, s, late), mails in sorted(counted.items()))
        return [self.names.shown(each) for each in found]

    def timeline(self, days: int) -> list[Moment]:
        """What is decided about the one customer, now and on the coming days. Ends the preview too."""
        assert self.only is not None  # noqa: S101 - the caller opened it for one customer
        moments = [
            Moment(self.now, a, forecast=False) for a in answers(self.connection, self.desk, self.only)
        ]
        for at, desk in self._ahead(days):
            moments += [Moment(at, a, forecast=True) for a in answers(self.connection, desk, self.only)]
        return [replace(each, answer=self.names.shown(each.answer)) for each in _changes(moments)]

    def _sends(self) -> list[Count]:
        return [count for count in decided(self.connection, self.desk) if count.leaves]

    def _ahead(self, days: int) -> Iterator[tuple[datetime, Desk]]:
        book = self.project.book
        merge(self.connection, book, self.desk, self.state, self.now)
        assume_sent(self.connection, self.state)
        return forecast(self.connection, book, self.state, self.now, days, self.only)


@contextmanager
def previewing(
    project: Project, at: datetime | None = None, *, campaign: str | None = None, only: int | None = None
) -> Iterator[Preview]:
    """Open a preview of an instant, or of now. Only its own connection sees what it writes, until the end.

    Now is when the facts are read: a daemon may have planned since the command began.

    With `campaign` all campaigns are still planned together, as a run does, since they compete for
    the same cap; the caller shows the one.
    """
    if campaign is not None:
        project.known_campaign(campaign)
    with project.store.reading() as connection:
        now = at or read_at(connection, project.clock)
        refuse_the_past(connection, now)
        state = imagined(connection, only)
        _look_up(project, connection, state)
        desk = make_plan(connection, project.book, state, now, only=only)
        yield Preview(project, connection, state, desk, now, only)


def nothing_in(
    audiences: Mapping[str, int], counts: Sequence[Count], calendar: Sequence[Day], days: int
) -> str:
    """The one sentence for a preview with nothing in it; '' for any other."""
    if not audiences:
        return "No campaign can be run."
    if not counts and not calendar:
        return f"{NOBODY_IN}, and {no_mail_due(days)}."
    return ""


def no_mail_due(days: int) -> str:
    """What is said of days without mails."""
    return f"no mail falls due in the next {times(days, 'day')}" if days else "no mail is due"


def _look_up(project: Project, connection: Connection, state: State) -> None:
    """What earlier runs left half done, settled in the imagined tables as a run would settle it."""
    mail, transport = state.messages, project.transport()
    halfway = select(mail).where(
        mail.c.status.in_(("sending", "unknown")), mail.c.transport == transport.name
    )
    for row in connection.execute(halfway).all():
        trace = transport.look_up(row.message_id, row.planned_at)
        again = trace is Trace.MISSING and transport.exactly_once
        status = "accepted" if trace is Trace.FOUND else "scheduled" if again else "unknown"
        this = (mail.c.customer_id == row.customer_id, mail.c.message_id == row.message_id)
        connection.execute(update(mail).where(*this).values(status=status))
    transport.close()


def _day(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).date().isoformat()


def _changes(moments: Sequence[Moment]) -> list[Moment]:
    """Without the repetitions of a hold that goes on."""
    kept: list[Moment] = []
    last: dict[str, RunAnswer] = {}
    for moment in moments:
        if last.get(moment.answer.campaign) != moment.answer:
            kept.append(moment)
        last[moment.answer.campaign] = moment.answer
    return kept
