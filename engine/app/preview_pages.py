"""preview --html: a page of counts, reasons and days, and the mails as their readers would see them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.app.pages import environment
from engine.app.previewing import NOBODY_IN, Preview, no_mail_due, nothing_in
from engine.app.vanished import everything_wrong
from engine.errors import UsageError, relative
from engine.planning.reasons import Reason
from engine.rendering.mail import Mail

PER_STEP = 3
MARK = '<meta name="generator" content="aftersale preview">'  # of every index that was written here


@dataclass(frozen=True)
class Shown:
    """One mail of the sample and where its page stands."""

    mail: Mail
    page: str


def write_pages(preview: Preview, folder: Path, days: int, campaign: str | None) -> Path:
    """Write index.html and the mails of a sample, a few for each step; returns the index."""
    _require_ours(folder / "index.html")
    mails = folder / "mails"
    try:
        for place in (folder, mails):  # mails to people are nobody else's to read
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"no pages can be written to {relative(folder)}: {error.strerror}"
        raise UsageError(msg, hint="name a folder") from error
    counts = [count for count in preview.counts() if campaign in (None, count.campaign)]
    audiences = {c: n for c, n in preview.audiences().items() if campaign in (None, c)}
    entering = preview.entering()
    shown = [_write(mail, mails) for mail in _sample(preview, campaign)]
    calendar = [day for day in preview.calendar(days) if campaign in (None, day.campaign)]
    values: dict[str, Any] = {
        "shop": preview.project.settings.shop.name,
        "at": preview.now,
        "counts": counts,
        "audiences": audiences,
        "entering": entering,
        "shown": shown,
        "unwritable": preview.unwritable,
        "problems": everything_wrong(preview.project),
        "days": calendar,
        "nothing": nothing_in(audiences, counts, calendar, days),
        "nobody_in": f"{NOBODY_IN}.",
        "no_mail_due": f"{no_mail_due(days).capitalize()}.",
        "names": preview.names,
        "reason": lambda name: Reason(name).sentence,
    }
    index = folder / "index.html"
    index.write_text(environment().get_template("preview.html").render(values), encoding="utf-8")
    return index


def _require_ours(index: Path) -> None:
    """A page that somebody else wrote is not written over."""
    if index.exists() and MARK not in index.read_text(encoding="utf-8", errors="replace"):
        msg = f"{relative(index)} is there already, and is no preview"
        raise UsageError(msg, hint="name another folder, or take that page away")


def _sample(preview: Preview, campaign: str | None) -> Iterator[Mail]:
    """The first few mails of each step. Every mail is written, so that none that fails stays hidden."""
    taken: dict[tuple[str, str], int] = {}
    for mail in preview.mails():
        step = (mail.key.campaign_id, mail.key.step_id)
        taken[step] = taken.get(step, 0) + 1
        if taken[step] <= PER_STEP and campaign in (None, preview.names.campaign(step[0])):
            yield mail


def _write(mail: Mail, folder: Path) -> Shown:
    (folder / f"{mail.message_id}.html").write_text(mail.html, encoding="utf-8")
    (folder / f"{mail.message_id}.txt").write_text(mail.text, encoding="utf-8")
    return Shown(mail, f"mails/{mail.message_id}")
