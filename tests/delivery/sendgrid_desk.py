"""What the tests of the SendGrid transport share: mails, settings, and the transport to a fake."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from pydantic import SecretStr

from engine.delivery.transports.base import Answer
from engine.delivery.transports.sendgrid import SendGridTransport
from engine.rendering.mail import Mail, MailOrder
from engine.settings.delivery import Delivery, SendGrid
from engine.settings.model import Settings
from engine.settings.secrets import Secrets
from tests.delivery.post_office import NOW, key, mail_for
from tests.fake_sendgrid.hand import Hand

PAGE = "<html><body><h1>Hello {name},</h1><p>what you have read since {since} was the whole of it.</p></body></html>"
WORDS = "Hello {name},\n\nwhat you have read since {since} was the whole of it.\n"
OPENED: list[SendGridTransport] = []
SOON = timedelta(milliseconds=300)


def settings(host: str = "https://api.sendgrid.com", key: str = "SG.test", **sendgrid: Any) -> Settings:
    """Settings of a shop that mails through SendGrid; what is given is set as it is, unchecked."""
    chosen = SendGrid(host=host).model_copy(update=sendgrid)
    secrets = Secrets(sendgrid_key=SecretStr(key))
    return Settings(delivery=Delivery(transport="sendgrid"), secrets=secrets).model_copy(
        update={"sendgrid": chosen}
    )


def transport(hand: Hand, stopwatch: Any = None, **sendgrid: Any) -> SendGridTransport:
    return opened(settings(hand.url, hand.key, **sendgrid), stopwatch)


def opened(chosen: Settings, stopwatch: Any = None) -> SendGridTransport:
    """One that is closed by `close_all`, whatever the test does."""
    OPENED.append(SendGridTransport(chosen, Path(), **({"stopwatch": stopwatch} if stopwatch else {})))
    return OPENED[-1]


def close_all() -> None:
    while OPENED:
        OPENED.pop().close()


def letter(number: int, name: str | None = None, **values: Any) -> Mail:
    """A mail of the step that all customers get, with their name and a date in it."""
    words = {"name": name or f"Ann{number}", "since": f"2026-01-{number % 28 + 1:02}"}
    mail = mail_for(MailOrder(key(number), NOW))
    header = (
        "List-Unsubscribe",
        f"<mailto:unsubscribe@shop.example?subject=unsubscribe%20{mail.message_id}>",
    )
    said = {"html": PAGE.format(**words), "text": WORDS.format(**words), "headers": (header,)}
    return replace(mail, **said | values)


def long_table(number: int, rows: int) -> Mail:
    """A mail of the same step with a table that differs in every cell."""
    chance = Random(number)
    cells = (f"<tr><td>{chance.random()}</td><td>{chance.choice('abc')}</td></tr>\n" for _ in range(rows))
    return letter(number, html=f"<html><table>\n{''.join(cells)}</table></html>")


def letters(*numbers: int) -> list[Mail]:
    return [letter(number) for number in numbers]


def sent(through: SendGridTransport, mails: list[Mail]) -> dict[int, Answer]:
    """Hand all of them over, as the courier does; what became of each, by customer."""
    answers: dict[int, Answer] = {}
    for parcel in through.parcels(mails):
        answers |= {mail.key.customer_id: answer for mail, answer in through.send_parcel(parcel)}
    return answers
