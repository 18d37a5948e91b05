"""Why one customer gets a campaign's mails, or does not: for everyone, mailed or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from engine.campaigns.model import FRONT_END, Campaign
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.outlook import Lookout, Outlook
from engine.planning.readout import RunAnswer, answers
from engine.planning.reasons import Reason
from engine.planning.state import State
from engine.planning.story import Story, stamp
from engine.planning.timing import place_of
from engine.planning.versions import versions_of
from engine.planning.windows import opening, until
from engine.rules.explain import Answer, explain
from engine.rules.model import Scope
from engine.rules.people import is_customer
from engine.store.tables import customers


@dataclass(frozen=True)
class Explanation:
    """All there is to say about one customer and one campaign at an instant."""

    campaign: str
    is_customer: bool
    audience: Answer
    answer: RunAnswer | None  # what is decided about a step that is due now
    entry: Mapping[str, Any] | None  # a run that begins now
    runs: Sequence[Mapping[str, Any]]  # runs so far, by spell
    decisions: Sequence[Mapping[str, Any]]  # decided earlier, by time
    messages: Sequence[Mapping[str, Any]]  # mails so far, by time
    at: datetime
    outlook: Outlook | None  # of a step that is held

    past: bool  # before the last run: told by what was decided, not by a plan
    versions: Mapping[str, datetime]  # of the campaign's file: since when each has been in force
    begins: str = ""  # what begins a run, where it is not the audience alone
    waiting: str = ""  # of a step that is not due yet, or waits for its window: until when
    unwritable: Mapping[str, str] | None = None  # of a mail that would leave: why it cannot be written

    @property
    def summary(self) -> str:
        """The one sentence a support person needs."""
        if self.past:
            return self._told_so_far()
        if self.answer is not None and self.unwritable:
            return f"cannot be mailed now at the step {self.answer.step!r}: {self.unwritable['message']}"
        if self.answer is not None:
            return "; ".join(filter(None, (_told(self.answer), str(self.outlook or ""))))
        if self.entry is not None:
            due = f"the step {self.entry['step_id']!r} is due {stamp(self.entry['due_at'])}"
            return f"enters now; {due}{self.waiting}"
        if active := self._story.active:
            tense = "is" if active["due_at"] > self.at else "was"
            waits = (
                f"waits: the step {active['step_id']!r} {tense} due {stamp(active['due_at'])}{self.waiting}"
            )
            return "; ".join(filter(None, (waits, self._story.last_step())))
        return self._told_so_far()

    @property
    def _story(self) -> Story:
        return Story(self.runs, self.decisions, self.messages, self.at)

    def _told_so_far(self) -> str:
        """What has been, and what keeps the customer from entering now."""
        so_far = self._story.so_far()
        if self.is_customer and self.audience.holds:
            return so_far or f"is in the audience; {self.begins or 'no run has looked since'}"
        return "; ".join(filter(None, (so_far, self._outside())))

    def _outside(self) -> str:
        if not self.is_customer:
            return f"cannot enter: {Reason.NOT_A_CUSTOMER.sentence}"
        false = self.audience.first_false() or self.audience
        actual = f" ({false.actual})" if false.actual else ""
        because = "this holds" if false.holds else "this does not hold"
        return f"is not in the audience: {because}: {false.sentence}{actual}"

    def as_json(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            "summary": self.summary,
            "is_customer": self.is_customer,
            "audience": self.audience.as_json(),
            "now": self.answer.__dict__ if self.answer else None,
            "unwritable": dict(self.unwritable) if self.unwritable else None,
            "outlook": self.outlook.as_json() if self.outlook else None,
            "entry": dict(self.entry) if self.entry else None,
            "runs": [dict(run) for run in self.runs],
            "decisions": [dict(decision) for decision in self.decisions],
            "messages": [
                {**message, "version_since": self.versions.get(message["version"])}
                for message in self.messages
            ],
        }


def explain_campaign(
    connection: Connection,
    book: Book,
    state: State,
    desk: Desk | None,
    campaign: Campaign,
    who: tuple[int, datetime],
) -> Explanation:
    """Explain a campaign to one customer. `desk` is the plan of that instant; None for one in the past."""
    customer_id, now = who
    names = book.files.names
    scope = book.scope(now, connection.dialect.name, state.messages).each()
    customer = select(is_customer(scope)).where(customers.c.customer_id == customer_id)

    def rows(table: Any, *order: str) -> list[Mapping[str, Any]]:
        mine = select(table).where(table.c.customer_id == customer_id, table.c.campaign_id == campaign.id)
        mine = mine.where(table.c[_WHEN[table.name]] <= now)
        return [names.row(row) for row in connection.execute(mine.order_by(*order)).mappings()]

    due = {answer.campaign: answer for answer in answers(connection, desk, customer_id)} if desk else {}
    entry = next(iter(rows(desk.entries, "spell")), None) if desk else None
    runs = rows(state.enrollments, "spell")
    ahead = entry or next((run for run in runs if run["status"] == "active"), None)
    answer = due.get(campaign.id)
    lookout = Lookout(connection, book, state, desk, scope, customer_id) if desk else None
    return Explanation(
        campaign=campaign.name,
        is_customer=bool(connection.scalar(customer)),
        audience=explain(connection, campaign.audience, scope, customer_id),
        answer=answer and names.shown(answer),
        outlook=lookout.of(answer) if lookout and answer else None,
        entry=entry,
        runs=runs,
        decisions=rows(state.decisions, "at", "step_id"),
        messages=rows(state.messages, "planned_at", "step_id"),
        at=now,
        past=desk is None,
        versions=versions_of(connection, campaign.id),
        begins=_begins(campaign, scope),
        waiting=_waiting(connection, book, campaign, ahead, customer_id) if ahead else "",
    )


def _begins(campaign: Campaign, scope: Scope) -> str:
    """What a run waits for besides the audience; '' where for nothing."""
    if campaign.track == FRONT_END:
        return "a run begins when a transaction opens"
    return f"a run begins {campaign.on.sentence(scope)}" if campaign.on else ""


def _waiting(
    connection: Connection, book: Book, campaign: Campaign, run: Mapping[str, Any], customer_id: int
) -> str:
    """When the window of the step opens that a run has come to, where that is not when it falls due."""
    shown = (campaign.name, run["step_id"])
    schedule = book.schedules.get((campaign.id, book.files.names.first_ids.get(shown, shown[1])))
    if schedule is None:
        return ""
    lives = select(customers.c.timezone, customers.c.country).where(customers.c.customer_id == customer_id)
    place, asked = place_of(book, *connection.execute(lives).one()), run.get("wake_at", run["due_at"])
    found = opening(schedule, place, asked)
    waits = found is not None and found.opens > run["due_at"]
    return f", and waits {until(found.opens, place.zone)}" if found and waits else ""


_WHEN = {  # which of its times says whether a row was there already
    "plan_entries": "entered_at",
    "twin_enrollments": "entered_at",
    "twin_decisions": "at",
    "twin_messages": "planned_at",
}


def _told(answer: RunAnswer) -> str:
    sentence = Reason(answer.reason).sentence
    detail = f" ({answer.detail})" if answer.detail else ""
    if answer.reason == Reason.REVIEW:
        return f"is at the step {answer.step!r}, and waits: {sentence}"
    told = {"send": "is mailed now", "hold": "is held", "skip": "is passed over"}[answer.verdict]
    return f"{told} at the step {answer.step!r}: {sentence}{detail}"
