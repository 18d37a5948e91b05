"""What a person does to mails by hand: pause, resume, cancel, release, retry, resolve what nobody knows."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update

from engine.app.project import Project
from engine.delivery.rows import ATTEMPT, Attempt, apply, attempts, change_row, stands
from engine.delivery.states import FINAL, Status, move
from engine.errors import UnknownName, UsageError
from engine.facts.changes import note_changes
from engine.planning import pauses
from engine.planning.reasons import Reason
from engine.registry import did_you_mean
from engine.store.ids import IdFactory
from engine.store.tables import messages

BY_HAND = "cancelled by hand"
CANCELLABLE = (Status.SCHEDULED, Status.HELD)
_WAITED_FOR_IT = f"not sent: {Reason.PAUSED.value}"


def pause(project: Project, campaign_id: str | None, now: datetime) -> None:
    """No mail of the campaign, or of any, leaves from now on; what is with a transport has left."""
    with project.store.writing() as connection:
        pauses.pause(connection, _known(project, campaign_id), now)


def resume(project: Project, campaign_id: str | None, now: datetime) -> tuple[bool, list[str]]:
    """The next plan decides again. Whether it was paused, and what still is."""
    name = _known(project, campaign_id, also=paused(project))
    with project.store.writing() as connection:
        was = pauses.resume(connection, name, now)
        rest = pauses.paused_since(connection)
        waited = and_(stands(Status.SCHEDULED), messages.c.error == _WAITED_FOR_IT)
        connection.execute(update(messages).where(waited, messages.c.due_at > now).values(due_at=now))
    return was, list(rest)


def paused(project: Project) -> dict[str, datetime]:
    """What is paused, and since when; '' stands for everything."""
    with project.store.reading() as connection:
        return pauses.paused_since(connection)


def _known(project: Project, campaign_id: str | None, also: Collection[str] = ()) -> str:
    """A campaign with a mistake in its file can be paused too. Raises UnknownName."""
    ids = project.campaign_ids
    if campaign_id is None:
        return pauses.ALL
    if ids is None or campaign_id in ids or campaign_id in also:
        return campaign_id
    msg = f"there is no campaign {campaign_id!r}"
    raise UnknownName(msg, hint=did_you_mean(campaign_id, sorted(ids)))


def meant(project: Project, name: str, statuses: Collection[Status]) -> list[Attempt]:
    """The mails of those states that a person names: one by its id, or all of a campaign.

    Raises UnknownName where there never was such a mail, or such a campaign.
    """
    return _one(project, name, statuses) if _is_id(name) else _of_campaign(project, name, statuses)


def cancel(project: Project, mails: Sequence[Attempt], now: datetime) -> int:
    """These mails never leave. How many that is: one that has left meanwhile is not among them."""
    return sum(_move(project, mails, origin, Status.CANCELLED, now, BY_HAND) for origin in CANCELLABLE)


def release(project: Project, mails: Sequence[Attempt], now: datetime) -> int:
    """What was held for a look goes the way of all mails: the next plan decides about it anew."""
    return _move(project, mails, Status.HELD, Status.SCHEDULED, now, None)


def retry(project: Project, mails: Sequence[Attempt], now: datetime) -> int:
    """What was rejected may go after all, its cause being mended: the next plan decides about it anew."""
    return _move(project, mails, Status.REJECTED, Status.SCHEDULED, now, None)


def resolve(project: Project, mails: Sequence[Attempt], *, accepted: bool, now: datetime) -> int:
    """A person knows what became of mails of unknown fate. Those that have not left are decided anew."""
    target = Status.ACCEPTED if accepted else Status.SCHEDULED
    return _move(project, mails, Status.UNKNOWN, target, now, None)


def _move(
    project: Project, mails: Sequence[Attempt], origin: Status, target: Status, now: datetime, why: str | None
) -> int:
    _, status = move(origin, target)
    values = {"status": status, "error": why, "settled_at": now if target in FINAL else None}
    change = change_row(stands(origin)).values(**values)
    if target is Status.SCHEDULED:  # so that the next plan looks at it, whenever it was to be tried again
        change = change.values(due_at=now, in_vain_since=None)
    with project.store.writing() as connection:
        if target is Status.ACCEPTED:  # a rule may ask who received it
            note_changes(connection, (mail.key.customer_id for mail in mails), IdFactory())
        return apply(connection, change, {mail: {} for mail in mails})


def _one(project: Project, message_id: str, statuses: Collection[Status]) -> list[Attempt]:
    found = find(project, message_id)
    with project.store.reading() as connection:
        row = select(*ATTEMPT).where(is_mail(found), _stands_among(statuses))
        return attempts(connection.execute(row))


def _of_campaign(project: Project, campaign_id: str, statuses: Collection[Status]) -> list[Attempt]:
    theirs = messages.c.campaign_id == campaign_id
    with project.store.reading() as connection:
        found = attempts(connection.execute(select(*ATTEMPT).where(theirs, _stands_among(statuses))))
        ever = found or connection.execute(select(messages.c.status).where(theirs).limit(1)).first()
    if not ever:
        _known(project, campaign_id)
    return found


def find(project: Project, message_id: str) -> Attempt:
    """The mail of that id. It follows from the key, and is written down with the first intent to send."""
    wanted = str(UUID(message_id)) if _is_id(message_id) else message_id
    for where in (messages.c.message_id == wanted, messages.c.message_id.is_(None)):
        for mail in _mails(project, where):
            if mail.key.message_id == wanted:
                return mail
    msg = f"there is no mail {message_id!r}"
    raise UnknownName(msg, hint="aftersale outbox lists them")


def is_mail(mail: Attempt) -> ColumnElement[bool]:
    """SQL: the row of that mail."""
    return and_(*(messages.c[name] == part for name, part in mail.key._asdict().items()))


def _mails(project: Project, where: ColumnElement[bool]) -> Iterator[Attempt]:
    with project.store.reading() as connection:
        for part in connection.execute(select(*ATTEMPT).where(where)).partitions(10_000):
            yield from attempts(part)


def _stands_among(statuses: Collection[Status]) -> ColumnElement[bool]:
    return or_(*(stands(status) for status in statuses))


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def require_some(mails: Sequence[Attempt], what: str) -> None:
    """Raises UsageError where there is nothing to do it to."""
    if not mails:
        msg = f"no mail {what}"
        raise UsageError(msg, hint="aftersale outbox lists them")
