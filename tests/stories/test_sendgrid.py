"""A mail through SendGrid and what comes back of it: its fate by an event, and its reader's one click."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from engine.app.project import Project
from engine.app.running import run_once
from engine.clock import VirtualClock
from engine.delivery.transports.sendgrid import transport
from engine.errors import TransportError
from engine.store.tables import messages
from engine.web.server import Server
from tests.fake_sendgrid.hand import Hand
from tests.fake_sendgrid.telling import event
from tests.stories.conftest import Aftersale, say
from tests.web.hook import Signer, post, written

URL = "https://mail.loaf.example"
SIGNER = Signer()


@pytest.fixture
def hand(sendgrid: Hand, monkeypatch: pytest.MonkeyPatch) -> Hand:
    say(monkeypatch, DELIVERY__BATCH="10", SENDGRID__WEBHOOK_KEY=SIGNER.key)
    say(monkeypatch, SECRETS__SIGNING="a long text that nobody guesses", WEB__PORT="0", WEB__URL=URL)
    monkeypatch.setattr(transport, "FIRST_REST", timedelta(milliseconds=1))
    return sendgrid


@pytest.fixture
def project(hand: Hand, light_shop: Path, clock: VirtualClock) -> Iterator[Project]:
    with closing(Project(light_shop, clock)) as opened:
        yield opened


@pytest.fixture
def site(project: Project) -> Iterator[str]:
    """The address of the shop's web server."""
    server = Server(project)
    server.start()
    yield server.address
    server.stop()


def run(project: Project) -> None:
    run_once(project, project.clock.now(), lambda _: None)


def rows(project: Project, status: str) -> dict[str, Any]:
    """The mails of that state, by their ids."""
    with project.store.reading() as connection:
        found = connection.execute(select(messages).where(messages.c.status == status)).all()
    return {row.message_id: row for row in found}


def click(site: str, link: str) -> int:
    """As a mail program does it for its reader (RFC 8058)."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection = HTTPConnection(urlsplit(site).netloc, timeout=60)
    connection.request("POST", urlsplit(link).path, "List-Unsubscribe=One-Click", kind)
    status = connection.getresponse().status
    connection.close()
    return status


def test_events_with_our_ids_settle_what_the_provider_never_answered(
    project: Project, hand: Hand, site: str, aftersale: Aftersale, clock: VirtualClock
) -> None:
    hand.order(reset=True, accept=True)
    run(project)
    unknown = set(rows(project, "unknown"))
    assert len(unknown) > 3
    there = {mail["custom_args"]["aftersale_message"]: mail for mail in hand.mails()}
    assert unknown < there.keys()

    silent, *told_of = sorted(unknown)
    dropped, *known = told_of
    events = [event(there[mail], kind, clock.now()) for mail in known for kind in ("delivered", "processed")]
    body = written(*events, event(there[dropped], "dropped", clock.now(), reason="Bounced Address"))
    assert post(site, body, Signer().sign(body, clock.now()))[0] == 401
    run(project)
    assert rows(project, "unknown").keys() == unknown, "what anybody may have written settles nothing"
    for _ in range(2):
        assert post(site, body, SIGNER.sign(body, clock.now())) == (200, {"kept": len(events) + 1})
    run(project)
    assert rows(project, "unknown").keys() == {silent}
    assert rows(project, "accepted").keys() == there.keys() - {silent, dropped}
    assert rows(project, "rejected")[dropped].error == "dropped by the provider: Bounced Address"
    shown = aftersale("outbox", "--status", "unknown", "--json").json["mails"]
    assert [mail["message_id"] for mail in shown] == [silent]
    assert set(hand.ids().values()) == {1}


def test_one_click_in_a_mail_as_it_arrived_cancels_the_next_one(
    project: Project, hand: Hand, site: str, clock: VirtualClock
) -> None:
    run(project)
    arrived = {mail["custom_args"]["aftersale_customer"]: mail for mail in hand.mails()}
    clock.advance(timedelta(days=5))
    hand.order(status=429, times=5)
    with pytest.raises(TransportError, match="no time"):
        run(project)
    tried = [row for row in rows(project, "scheduled").values() if row.message_id]
    second = [row for row in tried if str(row.customer_id) in arrived]
    assert len(second) > 1
    leaving = arrived[str(second[0].customer_id)]
    assert leaving["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    said = re.fullmatch(rf"<({URL}/u/[\w.-]+)>, <mailto:[^<>\s]+>", leaving["headers"]["List-Unsubscribe"])
    assert said is not None, "word for word, for SendGrid replaces nothing in headers"
    assert said[1] in leaving["content"]["text/html"]

    assert click(site, said[1]) == 200
    hand.forget()
    clock.advance(timedelta(hours=2))
    run(project)
    assert second[0].message_id in rows(project, "cancelled")
    assert second[0].message_id not in hand.ids()
    assert {row.message_id for row in second[1:]} <= hand.ids().keys(), "the others go on"
