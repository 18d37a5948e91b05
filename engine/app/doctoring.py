"""doctor: whether the settings, the files, the database and the outbox are as they should be.

Nothing is made or changed; a database that is not there, or stands at another version, is told.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from shutil import disk_usage
from typing import Any

from sqlalchemy import Connection, exists, func, or_, select

from engine.app import leaving
from engine.app.failures import lately
from engine.app.presence import daemons
from engine.app.project import Project
from engine.app.watching import changed_since, watched
from engine.audience.looks import last_at
from engine.clock import SystemClock, format_duration
from engine.delivery.generation import Guard
from engine.delivery.in_vain import in_vain
from engine.delivery.rows import stands
from engine.delivery.states import Status
from engine.delivery.warm_up import Ramp
from engine.errors import SettingsError, StoreError
from engine.facts.receiving.inbound import PARKED, counts
from engine.facts.receiving.looking_back import silent
from engine.facts.receiving.spool import HINT
from engine.planning.pauses import paused
from engine.rules.words import heads, times
from engine.settings.load import CONFIG_FILE
from engine.settings.model import Settings
from engine.store.connect import Store, file_of, is_there, obstacle
from engine.store.dialect import database_now
from engine.store.indexes import missing_indexes
from engine.store.migrate import NEWEST, revision
from engine.store.tables import changes, looks, messages

APART = timedelta(seconds=5)
OVERDUE = timedelta(hours=1)
UNDRAINED = timedelta(minutes=10)
LATE = 10  # plans that may be missing before it is told
LATELY = timedelta(days=7)
MANY, MUCH = 5, 0.1  # mails that were rejected lately, and their share
SENDGRID = "sendgrid"  # the transport of that name
MOST_FAILURES = 10
SCANT = 20_000_000  # bytes
SHORT = 1_000  # milliseconds that a busy database is waited for


@dataclass(frozen=True)
class Finding:
    """One thing looked at, in a line, and what to do where it is not sound."""

    about: str
    said: str
    sound: bool = True
    hint: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(project: Project) -> list[Finding]:
    """Everything looked at, in the order in which one thing needs the other."""
    transport = project.settings.delivery.transport
    settings = Finding("settings", f"{CONFIG_FILE} is sound; mails leave by {transport!r}")
    return [
        settings,
        *_way_out(project),
        *_sendgrid(project.settings),
        _campaigns(project),
        *_inbox(project),
        *_spool(project),
        *_room(project),
        *_database(project),
    ]


def _way_out(project: Project) -> Iterator[Finding]:
    """What stands against mails leaving, or arriving; nothing where nothing does."""
    if error := leaving.obstacle(project):
        yield Finding("way out", error.message, sound=False, hint=error.hint)
    if project.settings.delivery.transport == SENDGRID and project.settings.sendgrid.sandbox:
        hint = "leave sendgrid.sandbox out to send"
        yield Finding("way out", "the sandbox of SendGrid: no mail arrives anywhere", sound=False, hint=hint)


def _sendgrid(settings: Settings) -> Iterator[Finding]:
    """Whether what SendGrid tells is let in, where it may tell something."""
    sends, key = settings.delivery.transport == SENDGRID, settings.sendgrid.webhook_key
    if key and not settings.web.url:
        said = "what SendGrid tells is taken in by `aftersale serve` alone: web.url is empty"
        yield Finding("sendgrid", said)
    elif key:
        yield Finding("sendgrid", f"what SendGrid tells is taken in at {settings.web.url}/webhooks/sendgrid")
    elif sends or settings.web.url:
        said, hint = "what SendGrid tells is refused: sendgrid.webhook_key is not set", None
        if sends:
            hint = (
                "turn on the signed event webhook there, and copy its verification key. "
                "Where only `serve` has it, by an environment of its own, all is well"
            )
        yield Finding("sendgrid", said, sound=not sends, hint=hint)


def _spool(project: Project) -> Iterator[Finding]:
    """What nobody can write down, or was acknowledged and nobody brings into the database for long."""
    try:
        trays = (project.spool.wishes, project.spool.events)
        begun = min(filter(None, (tray.since() for tray in trays)), default=None)
        if begun is None or begun > project.clock.now() - UNDRAINED:
            stands = project.spool.obstacle() if project.spools else ""
            yield from [Finding("spool", stands, sound=False, hint=HINT)] if stands else []
            return
        waiting = sum(len(tray.look()) for tray in trays)
    except StoreError as error:
        yield Finding("spool", error.message, sound=False, hint=error.hint)
        return
    said = f"since {begun:%Y-%m-%d %H:%M}Z nobody brings what was told into the database: {waiting:,} wait"
    hint = "does a daemon or `serve` run? Its log tells what stands against it; `run --once` does it, too"
    yield Finding("spool", said, sound=False, hint=hint)


def _campaigns(project: Project) -> Finding:
    wrong, sound = len(project.problems), times(len(project.files.campaigns), "sound campaign")
    if wrong:
        return Finding(
            "campaigns", f"{times(wrong, 'problem')}, {sound}", sound=False, hint="see aftersale check"
        )
    return Finding("campaigns", f"{sound}, {times(len(project.files.segments), 'segment')}")


def _inbox(project: Project) -> Iterator[Finding]:
    """A folder that is not there; files that went on after they were imported, until they are so again."""
    if not project.settings.watch.folder:
        return
    try:
        folder = watched(project, None)
    except SettingsError as error:
        hint = "make it, or check watch.folder in config.yaml"
        yield Finding("watch", error.message, sound=False, hint=hint)
        return
    if names := [name for name, _ in changed_since(folder)]:
        said = f"changed since it was imported: {', '.join(names)}"
        hint = "the daemon imports it again once it stands still; let it be written as .part, and renamed"
        yield Finding("watch", said, sound=False, hint=hint)


def _room(project: Project) -> Iterator[Finding]:
    """Of a SQLite database: PostgreSQL's disk is another machine's."""
    file = file_of(project.settings.database, project.folder)
    if file is not None and file.parent.is_dir() and (left := disk_usage(file.parent).free) < SCANT:
        said = f"{left // 1_000_000:,} MB are left where the database lies"
        hint = "make room: without any, nothing can be planned or sent"
        yield Finding("disk", said, sound=False, hint=hint)


def _database(project: Project) -> Iterator[Finding]:
    if not is_there(project.settings.database, project.folder):
        yield _no_database(project)
        return
    store = Store(project.settings.database, folder=project.folder, busy=SHORT)
    try:
        with store.reading() as connection:
            yield (database := _version(connection))
            if database.sound:
                yield _indexes(connection)
                yield _outbox(connection)
                yield from _overdue(connection, project)
                yield from _in_vain(connection, project)
                yield from _rejected(connection, project.clock.now())
                yield _queue(connection)
                yield from _inbound(connection, project)
                yield from _sources(connection, project)
                yield _last_look(connection, project.clock.now())
                yield _clocks(database_now(connection), SystemClock().now())
                yield _daemons(connection, project)
                yield from _failures(connection, project.clock.now())
        if database.sound:
            yield _generation(Guard(store, project.folder / project.settings.state))
    except StoreError as error:
        yield Finding("database", error.message, sound=False, hint=error.hint)
    finally:
        store.close()


def _no_database(project: Project) -> Finding:
    if gone := project.lost():
        return Finding("database", gone.message, sound=False, hint=gone.hint)
    if why := obstacle(project.settings.database, project.folder):
        said = f"there is none, and none can be made: {why}"
        return Finding("database", said, sound=False, hint="check `database:` in config.yaml")
    return Finding("database", "there is none yet", sound=False, hint="the first import makes it")


def _version(connection: Connection) -> Finding:
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    named = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.dialect.name]
    stands_at = revision(connection)
    if stands_at != NEWEST:
        from engine.store.upgrading import refuse_strange  # noqa: PLC0415 - slow to load, and seldom needed

        refuse_strange(connection)
        said = f"{named} {version}; its tables stand at {stands_at or 'nothing'}, this version needs {NEWEST}"
        return Finding("database", said, sound=False, hint="any command that uses it brings it up to date")
    return Finding("database", f"{named} {version}, tables at {stands_at}")


def _indexes(connection: Connection) -> Finding:
    missing = missing_indexes(connection)
    if missing:
        said = "missing: " + ", ".join(f"{index.name} on {index.table}" for index in missing)
        hint = "make again: " + "; ".join(index.remedy for index in missing)
        return Finding("indexes", said, sound=False, hint=hint)
    return Finding("indexes", "all are there")


def _outbox(connection: Connection) -> Finding:
    """What waits is in order; what a dead run left on its way, or nobody can tell of, is not."""
    counted = select(messages.c.status, func.count()).group_by(messages.c.status)
    by_status = {row[0]: int(row[1]) for row in connection.execute(counted)}
    over = stands(Status.SENDING) & (messages.c.lease_until <= database_now(connection))
    left = connection.scalar(select(func.count()).where(over)) or 0
    unknown = by_status.get(Status.UNKNOWN, 0)
    said = (
        f"{by_status.get(Status.SCHEDULED, 0):,} waiting, {by_status.get(Status.SENDING, 0):,} on their way"
    )
    if left or unknown:
        said += f", of these {left:,} left by a run that died; {unknown:,} of unknown fate"
        return Finding(
            "outbox", said, sound=False, hint="the next run looks them up; status lists what stays"
        )
    return Finding("outbox", said)


def _overdue(connection: Connection, project: Project) -> Iterator[Finding]:
    """Mails that could have left long ago, while nothing is paused and none left since."""
    now = project.clock.now()
    today = Ramp(project.store, project.settings.warm_up, project.settings.zone).today(now)
    if today and today[0] >= today[1]:
        return
    in_time = or_(messages.c.closes_at.is_(None), messages.c.closes_at > now)
    waits = (stands(Status.SCHEDULED), messages.c.due_at <= now - OVERDUE, in_time)
    late = connection.scalar(select(func.count()).where(*waits, ~paused(messages.c.campaign_id))) or 0
    lately = stands(Status.ACCEPTED) & (messages.c.settled_at > now - OVERDUE)
    if late and not connection.scalar(select(exists().where(lately))):
        said = (
            f"{times(late, 'mail')} could have left more than {format_duration(OVERDUE)} ago, and none leaves"
        )
        hint = "does a daemon run? Its log, or aftersale run --once, tells what stands against it"
        yield Finding("overdue", said, sound=False, hint=hint)


def _in_vain(connection: Connection, project: Project) -> Iterator[Finding]:
    """Mails that nobody takes, as long as there is time to mend what they lack."""
    found = in_vain(connection, project.clock.now())
    if found:
        span = format_duration(project.settings.delivery.try_for)
        since = f"{found.since:%Y-%m-%d %H:%M}Z, and rejected {span} after that"
        said = f"{times(found.mails, 'mail')} tried again and again, the first since {since}: {found.said}"
        yield Finding(
            "in vain", said, sound=False, hint="mend what it names: a setting, your account, a template"
        )


def _rejected(connection: Connection, now: datetime) -> Iterator[Finding]:
    """So many at once hardly have single addresses to blame."""
    ended = select(messages.c.status, func.count()).where(messages.c.settled_at > now - LATELY)
    counted = {row[0]: int(row[1]) for row in connection.execute(ended.group_by(messages.c.status))}
    rejected, accepted = (counted.get(status, 0) for status in (Status.REJECTED, Status.ACCEPTED))
    if rejected >= MANY and rejected > MUCH * (rejected + accepted):
        said = f"{rejected:,} of {rejected + accepted:,} mails of the last {format_duration(LATELY)}"
        hint = "see aftersale outbox --status rejected; once the cause is mended, aftersale outbox retry"
        yield Finding("rejected", said, sound=False, hint=hint)


def _inbound(connection: Connection, project: Project) -> Iterator[Finding]:
    """What was told and nobody could take up is not lost, and wants to be looked at."""
    found = counts(connection)
    waiting, parked = found["waiting"] + _spooled(project), found[PARKED]
    if parked:
        hint = "see aftersale events for what is wrong with each, and what to do"
        said = f"{waiting:,} yet to be taken up; {parked:,} could not be taken up"
        yield Finding("events", said, sound=False, hint=hint)
    elif waiting:
        yield Finding("events", f"{waiting:,} yet to be taken up, by the daemon or the next run")


def _spooled(project: Project) -> int:
    """Events that are on their way into the database; where that cannot be read, it is told apart."""
    with suppress(StoreError):
        return len({told[:2] for told in project.spool.events.look()})
    return 0


def _sources(connection: Connection, project: Project) -> Iterator[Finding]:
    """Who told facts before, and tells nothing any more."""
    for each in silent(connection, project.settings, project.clock.now()):
        hint = "look there whether it still posts: some give up after a few failures, and must be turned on"
        yield Finding("events", str(each), sound=False, hint=hint)


def _queue(connection: Connection) -> Finding:
    people = connection.scalar(select(func.count(changes.c.customer_id.distinct()))) or 0
    return Finding("changes", f"of {heads(people)}, to be judged at the next run")


def _clocks(theirs: datetime, ours: datetime) -> Finding:
    apart = abs(theirs - ours)
    if apart > APART:
        said = f"that of the database and that of this machine are {apart.total_seconds():.0f} s apart"
        return Finding("clocks", said, sound=False, hint="let both be set by NTP")
    return Finding("clocks", "the database and this machine agree")


def _daemons(connection: Connection, project: Project) -> Finding:
    """Who died without a word is told; a leader that lives must have planned of late."""
    found = daemons(connection)
    alive, dead = [each for each in found if each.alive], [each for each in found if not each.alive]
    if not any(each.leads for each in alive):
        said = f"none plans; {times(len(dead), 'daemon')} ended without a word" if dead else "none is running"
        return Finding(
            "daemon", said, sound=not dead, hint="see its log, and start it again" if dead else None
        )
    last = last_at(connection, looks)
    late = project.clock.now() - LATE * project.settings.run.every
    said = f"{alive[0].owner} plans, {len(alive) - 1:,} standing by"
    if last is None or last < late:
        hint = "see its log: a plan fails, or takes very long"
        return Finding("daemon", f"{said}, but there was no plan of late", sound=False, hint=hint)
    return Finding("daemon", said)


def _failures(connection: Connection, now: datetime) -> Iterator[Finding]:
    """What goes on failing wants a person; what is over is told for a day."""
    for each in lately(connection, now)[:MOST_FAILURES]:
        hint = "it is tried again by itself, once that is mended; the log of that daemon tells more"
        yield Finding("failed", str(each), sound=not each.goes_on, hint=hint if each.goes_on else None)


def _generation(guard: Guard) -> Finding:
    trouble = guard.trouble()
    if trouble:
        return Finding("generation", trouble.message, sound=False, hint=trouble.hint)
    found = guard.found()
    return Finding("generation", f"{found.number:,}" if found else "the first run begins one")


def _last_look(connection: Connection, now: datetime) -> Finding:
    at = last_at(connection, looks)
    if at is None:
        return Finding("last run", "there was none yet")
    if at > now:
        said = f"{at:%Y-%m-%d %H:%M}Z, which is later than now"
        return Finding("last run", said, sound=False, hint="a clock went back, or ran ahead: check it")
    return Finding("last run", f"{at:%Y-%m-%d %H:%M}Z")
