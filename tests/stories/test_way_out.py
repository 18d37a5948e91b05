"""Whose way out a mail has: ours, or the one that SendGrid puts in; never both, and never none."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.app.agreeing import How, agree
from engine.app.project import Project
from engine.app.running import run_once
from engine.app.viewing import page_of, shown_again
from engine.clock import VirtualClock
from engine.store.tables import suppressions
from tests.fake_sendgrid.hand import Hand
from tests.fake_sendgrid.merging import WAY_OUT
from tests.stories.conftest import Aftersale, say

URL = "https://mail.loaf.example"


@pytest.fixture
def hand(sendgrid: Hand, monkeypatch: pytest.MonkeyPatch) -> Hand:
    say(monkeypatch, UNSUBSCRIBE="sendgrid", SECRETS__SIGNING="a long text that nobody guesses", WEB__URL=URL)
    return sendgrid


@pytest.fixture
def project(hand: Hand, light_shop: Path, clock: VirtualClock) -> Iterator[Project]:
    with closing(Project(light_shop, clock)) as opened:
        yield opened


def links(html: str) -> set[str]:
    return set(re.findall(r'href="([^"]*unsub[^"]*|[^"]*/u/[^"]*)"', html))


def test_every_mail_has_the_link_of_the_provider_and_no_other(project: Project, hand: Hand) -> None:
    run_once(project, project.clock.now(), lambda _: None)
    mails = hand.mails()
    assert mails
    for mail in mails:
        html, text = mail["content"]["text/html"], mail["content"]["text/plain"]
        assert links(html) == {WAY_OUT}
        assert WAY_OUT in text
        assert "[" not in text.replace(WAY_OUT, "").split("unsubscribe")[-1]
        assert mail["headers"]["List-Unsubscribe"] == f"<{WAY_OUT}>"
        assert f"{URL}/u/" not in html + text


def test_shown_as_a_page_it_has_ours(project: Project, hand: Hand) -> None:
    run_once(project, project.clock.now(), lambda _: None)
    mail = shown_again(project, hand.mails()[0]["custom_args"]["aftersale_message"])
    assert mail is not None
    [link] = links(page_of(project, mail))
    assert link.startswith(f"{URL}/u/")


def test_who_takes_it_is_suppressed_here(project: Project, hand: Hand, clock: VirtualClock) -> None:
    run_once(project, project.clock.now(), lambda _: None)
    reader = hand.mails()[0]["to"]
    hand.put_on_lists(unsubscribes={reader: int(clock.now().timestamp())})
    clock.advance(timedelta(days=1))
    agree(project, clock.now(), How())
    with project.store.reading() as connection:
        assert connection.execute(select(suppressions.c.reason, suppressions.c.source)).all() == [
            ("unsubscribed", "sendgrid unsubscribes")
        ]


@pytest.mark.parametrize(
    "wrong",
    [
        ("DELIVERY__TRANSPORT", "folder", "nobody puts in the link"),
        ("SENDGRID__ASM_GROUP", "7", "names a group beside it"),
        ("SENDGRID__SUPPRESSIONS", "off", "nobody would tell who unsubscribed"),
    ],
)
def test_two_ways_out_or_none_are_refused(
    hand: Hand,
    light_shop: Path,
    aftersale: Aftersale,
    monkeypatch: pytest.MonkeyPatch,
    wrong: tuple[str, ...],
) -> None:
    setting, value, why = wrong
    monkeypatch.setenv(f"AFTERSALE_{setting}", value)
    said = aftersale("check")
    assert said.code == 10
    assert why in said.err
