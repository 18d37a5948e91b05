"""status: what was sent, what waits and what is stuck, by campaign."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from engine.app.controlling import BY_HAND
from engine.app.failures import Failure, lately
from engine.app.leaving import not_sending
from engine.app.presence import Daemon, daemons
from engine.app.project import Project
from engine.audience.looks import last_at
from engine.delivery.in_vain import InVain, in_vain
from engine.delivery.warm_up import Ramp
from engine.facts.mail_events import Kind
from engine.facts.receiving.looking_back import Silent, silent
from engine.planning.pauses import paused_since, why_paused
from engine.planning.reasons import Reason
from engine.store.dialect import database_now
from engine.store.tables import customers, enrollments, looks, mail_events, messages, orders

COUNTED = (Kind.DELIVERED, Kind.BOUNCED, Kind.COMPLAINED)


@dataclass(frozen=True)
class Standing:
    """One line: so many mails of a campaign in a state; `oldest` is when the first was planned."""

    campaign: str
    status: str
    mails: int
    oldest: datetime

    def as_json(self) -> dict[str, Any]:
        return self.__dict__ | {}


@dataclass(frozen=True)
class CameBack:
    """One line: so many mails of a campaign arrived, bounced, or were called spam."""

    campaign: str
    delivered: int
    bounced: int
    complaints: int

    def as_json(self) -> dict[str, Any]:
        return self.__dict__ | {}


@dataclass(frozen=True)
class Trouble:
    """A mail that is not simply sent or waiting, and what is known of it."""

    campaign: str
    step: str
    customer_id: int
    status: str
    error: str
    again_at: datetime | None = None  # when it is tried, or decided, anew

    def as_json(self) -> dict[str, Any]:
        return self.__dict__ | {}


@dataclass(frozen=True)
class Status:
    people: int
    orders: int
    active_runs: int
    next_due: datetime | None  # of the steps that no plan has asked yet
    last_plan: datetime | None
    daemons: Sequence[Daemon]
    failures: Sequence[Failure]  # of their jobs, that go on or ended within a day
    due: int  # mails that may leave now
    stuck: int  # on their way with nobody who carries them, or of unknown fate
    held: int  # wait for a person to look at them
    in_vain: InVain | None  # are tried again and again, and not taken
    paused: Mapping[str, datetime]  # '' stands for everything
    why_paused: Mapping[str, str]  # where no person asked for it
    today: tuple[int, int] | None  # of a new sender: today's mails that are used up, and of how many
    not_adopted: str | None  # why this database does not mail
    not_sending: str | None  # why no mail could leave
    mails: Sequence[Standing]
    troubles: Sequence[Trouble]  # the latest
    troubled: int  # how many there are; without what a person cancelled or paused
    came_back: Sequence[CameBack]
    silent: Sequence[Silent]  # sources of facts that tell nothing any more


def stuck(connection: Connection) -> ColumnElement[bool]:
    """SQL: nobody carries the mail any more, or nobody can tell what became of it."""
    over = messages.c.lease_until <= database_now(connection)
    return or_(messages.c.status == "unknown", and_(messages.c.status == "sending", over))


def _count(connection: Connection, *which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(messages).where(*which)) or 0


def _came_back(connection: Connection) -> Iterator[CameBack]:
    """Each mail counts once, however often it was told; campaigns without any are left out."""
    event = mail_events.c
    columns = [func.count(case((event.kind == kind, event.message_id)).distinct()) for kind in COUNTED]
    counted = select(event.campaign_id, *columns).where(event.campaign_id != "", event.kind.in_(COUNTED))
    for row in connection.execute(counted.group_by(event.campaign_id).order_by(event.campaign_id)):
        yield CameBack(*row)


def not_adopted(project: Project) -> str | None:
    """Why a run would refuse this database; None where it would not."""
    trouble = project.guard.trouble()
    return trouble.message if trouble else None


def status(project: Project, *, most: int = 20) -> Status:
    """Where everything stands; at most so many troubled mails are listed, the latest first."""
    kept = (messages.c.campaign_id, messages.c.status)
    waiting = and_(messages.c.status == "scheduled", messages.c.error.is_not(None))
    wanted = messages.c.error.in_((BY_HAND, f"not sent: {Reason.PAUSED}"))
    fate = or_(messages.c.status.in_(("rejected", "unknown", "cancelled")), waiting)
    troubled = and_(fate, or_(messages.c.error.is_(None), ~wanted))
    now, stranger = project.clock.now(), not_adopted(project)
    active = enrollments.c.status == "active"
    names = project.files.names
    with project.store.reading() as connection:
        mails = select(*kept, func.count(), func.min(messages.c.planned_at, type_=messages.c.planned_at.type))
        troubles = select(
            messages.c.campaign_id,
            messages.c.step_id,
            messages.c.customer_id,
            messages.c.status,
            func.coalesce(messages.c.error, ""),
            case((waiting, messages.c.due_at)),
        ).where(troubled)
        due = func.min(enrollments.c.wake_at, type_=enrollments.c.wake_at.type)
        last_plan = last_at(connection, looks)
        ahead = [active, *([enrollments.c.wake_at > last_plan] if last_plan else [])]
        return Status(
            people=connection.scalar(select(func.count()).select_from(customers)) or 0,
            orders=connection.scalar(select(func.count()).select_from(orders)) or 0,
            active_runs=connection.scalar(select(func.count()).where(active)) or 0,
            next_due=connection.scalar(select(due).where(*ahead)),
            last_plan=last_plan,
            daemons=daemons(connection),
            failures=lately(connection, now),
            due=_count(connection, messages.c.status == "scheduled", messages.c.due_at <= now),
            stuck=_count(connection, stuck(connection)),
            held=_count(connection, messages.c.status == "held"),
            in_vain=in_vain(connection, now),
            paused=paused_since(connection),
            why_paused=why_paused(connection),
            today=Ramp(project.store, project.settings.warm_up, project.settings.zone).today(now),
            not_adopted=stranger,
            not_sending=not_sending(project),
            mails=[
                names.shown(Standing(*row))
                for row in connection.execute(mails.group_by(*kept).order_by(*kept))
            ],
            troubled=_count(connection, troubled),
            silent=silent(connection, project.settings, now),
            came_back=[names.shown(each) for each in _came_back(connection)],
            troubles=[
                names.shown(Trouble(*row))
                for row in connection.execute(troubles.order_by(messages.c.planned_at.desc()).limit(most))
            ],
        )
