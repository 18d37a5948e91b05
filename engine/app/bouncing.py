"""A folder of mails that came back: what each reports is kept, to be taken up, and its file put away.

What was read goes to `done/`, what cannot be read or is about no mail of ours to `parked/`, with the
reason beside it. A file that is read a second time changes nothing.
"""

import json
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from engine.app.folders import folder_of
from engine.app.project import Project
from engine.app.watching import DONE, beside, put_away
from engine.delivery.receivers import smtp
from engine.delivery.reports import READ, NotAReport, Report, reports_in
from engine.delivery.states import Status
from engine.delivery.transports.smtp import SmtpTransport
from engine.errors import SettingsError, relative
from engine.facts.mail_events import Kind
from engine.facts.receiving import inbound
from engine.facts.values.addresses import as_compared
from engine.rendering.mail import one_line
from engine.store.connect import Store
from engine.store.tables import customers, messages

PARKED = "parked"
_LEFT = [status.value for status in (Status.ACCEPTED, Status.UNKNOWN, Status.SENDING)]


@dataclass(frozen=True)
class Returned:
    """One file: what each of its reports means, or why it was parked."""

    file: str
    kinds: tuple[Kind, ...] = ()
    parked: str = ""

    @property
    def told(self) -> str:
        return f"parked: {self.parked}" if self.parked else ", ".join(k.replace("_", " ") for k in self.kinds)


def bounces_folder(project: Project, folder: Path | None) -> Path:
    """The folder that is named, or else that of the settings. Raises UsageError or SettingsError."""
    return folder_of(
        project, folder, "smtp.bounces_folder", project.settings.smtp.bounces_folder, "of bounces"
    )


def take_bounces(project: Project, folder: Path, now: datetime) -> Iterator[Returned]:
    """Read every file, keep what it reports, and put it away. Raises SettingsError."""
    try:
        for path in _letters(folder):
            yield _take(project, folder, path, now)
    except OSError as error:
        msg = f"{relative(folder)} cannot be read, or its files not be moved: {error.strerror}"
        raise SettingsError(msg, hint="check the rights of that folder") from error


def _letters(folder: Path) -> Iterator[Path]:
    """The mails of a Maildir, or else the .eml files."""
    maildir = (folder / "new").is_dir()
    places = [folder / "new", folder / "cur"] if maildir else [folder]
    for place in filter(Path.is_dir, places):
        for path in sorted(place.iterdir()):
            if not path.name.startswith(".") and (maildir or path.suffix == ".eml") and _plain(path):
                yield path


def _plain(path: Path) -> bool:
    with suppress(FileNotFoundError):  # another took it meanwhile
        return stat.S_ISREG(path.lstat().st_mode)
    return False


def _take(project: Project, folder: Path, path: Path, now: datetime) -> Returned:
    name = one_line(path.name)
    try:
        with path.open("rb") as file:
            kinds = _keep(project.store, reports_in(file.read(READ)), now)
    except NotAReport as error:
        away = put_away(path, folder / PARKED)
        beside(away, ".reason.txt").write_text(f"{error}\n", encoding="utf-8")
        return Returned(name, parked=str(error))
    put_away(path, folder / DONE)
    return Returned(name, kinds)


def _keep(store: Store, found: Sequence[Report], now: datetime) -> tuple[Kind, ...]:
    """Keep what is about mails of ours, each once, to be taken up like anything told. Raises NotAReport."""
    with store.reading() as connection:
        placed = [(report, _place(connection, report)) for report in found]
    ours = [(report, place) for report, place in placed if place is not None]
    if not ours:
        msg = "it is about no mail of ours"
        raise NotAReport(msg)
    body = json.dumps([smtp.told(report, *place) for report, place in ours])
    inbound.keep(store, smtp.SOURCE, smtp.EVENT_ID, body, now)
    return tuple(report.kind for report, _ in ours)


def _place(connection: Connection, report: Report) -> tuple[str, int | None] | None:
    """The address that our mail went to, and whose: by the mail's id, else one that we have written to."""
    if report.message_id:
        by_id = select(messages.c.address, messages.c.customer_id)
        row = connection.execute(by_id.where(messages.c.message_id == report.message_id)).first()
        if row is not None and row.address:
            return row.address, row.customer_id
    left = (messages.c.transport == SmtpTransport.name, messages.c.status.in_(_LEFT))
    by_address = (
        select(messages.c.address)
        .join(customers, customers.c.customer_id == messages.c.customer_id)
        .where(
            customers.c.email == as_compared(report.recipient), messages.c.address == customers.c.email, *left
        )
    )
    address = connection.scalar(by_address.limit(1))
    return (address, None) if address else None
