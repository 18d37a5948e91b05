"""Reading a plan: counts by verdict and reason, the mails it would send, and those for whom none is due."""

from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, case, exists, func, literal, select, union_all

from engine.audience.judged import judged
from engine.planning.desk import Desk
from engine.planning.keys import MailKey
from engine.planning.reasons import Reason, Verdict
from engine.planning.state import State
from engine.store.tables import customers

PAGE = 2_000


@dataclass(frozen=True)
class Count:
    """How many people one answer is given to."""

    campaign: str
    step: str
    verdict: str
    reason: str
    people: int

    @property
    def leaves(self) -> bool:
        """Whether these are mails that leave, and do not wait for a person."""
        return self.verdict == Verdict.SEND and self.reason != Reason.REVIEW

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Sending:
    """One mail of the plan."""

    key: MailKey
    email: str
    planned_at: datetime


@dataclass(frozen=True)
class RunAnswer:
    """What the plan decides about one customer in one campaign."""

    campaign: str
    step: str
    spell: int
    verdict: str
    reason: str
    detail: str


def decided(connection: Connection, desk: Desk) -> list[Count]:
    """The steps that are due, by campaign, step, verdict and reason."""
    runs = desk.runs
    keys = (runs.c.campaign_id, runs.c.step_id, runs.c.verdict, runs.c.reason)
    rows = connection.execute(select(*keys, func.count()).group_by(*keys).order_by(*keys))
    return [Count(*row) for row in rows]


def standing(connection: Connection, desk: Desk, state: State) -> list[Count]:
    """Those in a campaign or its audience for whom no step is due: waiting, been through, or not begun."""
    counts: dict[tuple[str, str, str], int] = {}
    for row in connection.execute(union_all(_waiting(desk, state), _idle(desk, state))):
        campaign, step, reason, people = row
        counts[campaign, step, reason] = counts.get((campaign, step, reason), 0) + people
    return [Count(c, s, "none", r, people) for (c, s, r), people in sorted(counts.items()) if people]


def audience_sizes(connection: Connection, desk: Desk, state: State) -> dict[str, int]:
    """How many each campaign's audience holds."""
    inside = _inside(desk, state)
    rows = connection.execute(select(inside.c.campaign_id, func.count()).group_by(inside.c.campaign_id))
    sizes = {row[0]: row[1] for row in rows}
    return {campaign: sizes.get(campaign, 0) for campaign in connection.scalars(_campaign_ids(desk))}


def entering(connection: Connection, desk: Desk) -> dict[str, int]:
    """How many begin a run through each campaign now."""
    entry = desk.entries
    rows = connection.execute(
        select(entry.c.campaign_id, func.count(entry.c.customer_id.distinct())).group_by(entry.c.campaign_id)
    )
    return {row[0]: row[1] for row in rows}


def sendings(connection: Connection, desk: Desk) -> Generator[Sending, None, None]:
    """Every mail the plan sends, by campaign, step and customer, page by page."""
    runs = desk.runs
    key = (runs.c.customer_id, runs.c.campaign_id, runs.c.step_id, runs.c.spell)
    rows = (
        select(*key, runs.c.planned_at, customers.c.email)
        .join(customers, customers.c.customer_id == runs.c.customer_id)
        .where(runs.c.verdict == Verdict.SEND.value, runs.c.reason != Reason.REVIEW.value)
        .order_by(runs.c.campaign_id, runs.c.step_id, runs.c.customer_id)
    )
    for *parts, planned_at, email in _paged(connection, rows):
        yield Sending(MailKey(*parts), email or "", planned_at)


def answers(connection: Connection, desk: Desk, customer_id: int) -> list[RunAnswer]:
    """What is decided about one customer now, campaign by campaign."""
    runs = desk.runs
    rows = select(
        runs.c.campaign_id, runs.c.step_id, runs.c.spell, runs.c.verdict, runs.c.reason, runs.c.detail
    ).where(runs.c.customer_id == customer_id)
    return [RunAnswer(*row) for row in connection.execute(rows.order_by(runs.c.campaign_id))]


def _paged(connection: Connection, rows: Select[Any]) -> Iterator[Any]:
    """Row by row, fetched in pages, so that memory stays flat."""
    paged = {"stream_results": True, "yield_per": PAGE}
    with connection.execute(rows, execution_options=paged) as found:  # an open one would lock what it reads
        for page in found.partitions(PAGE):
            yield from page


def _campaign_ids(desk: Desk) -> Select[Any]:
    return select(desk.campaigns.c.campaign_id).order_by(desk.campaigns.c.campaign_id)


def _is_due(desk: Desk, table: Table) -> Any:
    runs = desk.runs
    return exists().where(
        runs.c.customer_id == table.c.customer_id, runs.c.campaign_id == table.c.campaign_id
    )


def _waiting(desk: Desk, state: State) -> Any:
    waiting = []
    for table in (state.enrollments, desk.entries):
        known = table.c.campaign_id.in_(select(desk.campaigns.c.campaign_id))
        active = table.c.status == "active" if table is state.enrollments else known
        waiting.append(
            select(
                table.c.campaign_id,
                table.c.step_id,
                literal(Reason.WAITING.value),
                func.count(table.c.customer_id.distinct()),
            )
            .where(known, active, ~_is_due(desk, table))
            .group_by(table.c.campaign_id, table.c.step_id)
        )
    return union_all(*waiting).subquery().select()


def _inside(desk: Desk, state: State) -> Any:
    """Those whom this look found inside, and members whom it had no cause to judge."""
    audience, member = desk.audience, state.membership
    of_book = member.c.campaign_id.in_(_campaign_ids(desk))
    stayed = select(member.c.customer_id, member.c.campaign_id).where(
        member.c.inside, of_book, ~judged(member)
    )
    return union_all(select(audience.c.customer_id, audience.c.campaign_id), stayed).subquery()


def _idle(desk: Desk, state: State) -> Any:
    """Those in an audience with no run under way: it is over, or what begins one has not happened.

    Whose last mail has not left yet is not through.
    """
    audience, entry, run = _inside(desk, state), desk.entries, state.enrollments
    mail = state.messages

    def same(table: Table) -> Any:
        return and_(
            table.c.customer_id == audience.c.customer_id, table.c.campaign_id == audience.c.campaign_id
        )

    active = exists().where(same(run), run.c.status == "active")
    ran = exists().where(same(run))
    reason = case((ran, literal(Reason.BEEN_THROUGH.value)), else_=literal(Reason.NOT_BEGUN.value))
    leaving = exists().where(same(mail), mail.c.status.in_(("scheduled", "sending")))
    over = (~exists().where(same(entry)), ~active, ~leaving)
    idle = select(audience.c.campaign_id, reason.label("reason")).where(*over).subquery()
    counts = select(idle.c.campaign_id, literal(""), idle.c.reason, func.count())
    return counts.group_by(idle.c.campaign_id, idle.c.reason)
