"""One page over the mails in a folder transport's outbox: who got what when, and how it reads."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from engine.app.pages import environment


@dataclass(frozen=True)
class Listed:
    """One mail: its headers, and its file and page relative to the index."""

    at: datetime
    to: str
    subject: str
    campaign: str
    step: str
    eml: str
    page: str


def write_index(outbox: Path, title: str) -> Path:
    """Write index.html beside `mails/`, and a page for each mail; returns the index."""
    pages = outbox / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    listed = sorted(_listed(outbox, pages), key=lambda mail: (mail.at, mail.campaign, mail.to))
    counts = sorted(Counter((mail.campaign, mail.step) for mail in listed).items())
    index = outbox / "index.html"
    page = environment().get_template("outbox.html").render(title=title, mails=listed, counts=counts)
    index.write_text(page, encoding="utf-8")
    return index


def _reader(mail: EmailMessage) -> str:
    to = mail["To"].addresses[0]
    return f"{to.display_name} {to.addr_spec}".strip()


def _listed(outbox: Path, pages: Path) -> Iterator[Listed]:
    for eml in sorted((outbox / "mails").rglob("*.eml")):
        mail = message_from_bytes(eml.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)  # noqa: S101 - the default policy makes them
        html = mail.get_body(("html",))
        page = pages / f"{eml.stem}.html"
        page.write_text(html.get_content() if html else "", encoding="utf-8")
        yield Listed(
            at=parsedate_to_datetime(str(mail["Date"])),
            to=_reader(mail),
            subject=str(mail["Subject"]),
            campaign=str(mail["X-Aftersale-Campaign"] or ""),
            step=str(mail["X-Aftersale-Step"] or ""),
            eml=str(eml.relative_to(outbox)),
            page=str(page.relative_to(outbox)),
        )
