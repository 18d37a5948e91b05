"""Mails of unknown fate, looked for where SendGrid stores what it has: found is accepted, else unknown."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.app import looking_up
from engine.app.looking_up import look_up, unknown
from engine.app.project import Project
from engine.app.running import run_once
from engine.clock import VirtualClock
from engine.delivery.transports.sendgrid import transport
from engine.delivery.transports.sendgrid.looking_up import EmailActivity
from engine.errors import TransportError
from engine.store.tables import messages
from tests.conftest import NOW
from tests.fake_sendgrid.hand import Hand
from tests.stories.conftest import Aftersale, say

WAYS = ("email_activity", "logs")


@pytest.fixture
def hand(sendgrid: Hand, monkeypatch: pytest.MonkeyPatch) -> Hand:
    say(monkeypatch, DELIVERY__BATCH="10")
    monkeypatch.setattr(transport, "FIRST_REST", timedelta(milliseconds=1))
    sendgrid.stand_still(int(NOW.timestamp()) + 30)
    return sendgrid


@pytest.fixture(params=WAYS)
def project(
    request: pytest.FixtureRequest,
    hand: Hand,
    light_shop: Path,
    clock: VirtualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Project]:
    monkeypatch.setenv("AFTERSALE_SENDGRID__LOOK_UP", request.param)
    with closing(Project(light_shop, clock)) as opened:
        yield opened


def left_unknown(project: Project, hand: Hand) -> set[str]:
    """The first request is accepted, the second is not; nobody hears of either."""
    hand.order(reset=True, accept=True)
    hand.order(reset=True)
    run_once(project, project.clock.now(), lambda _: None)
    return rows(project, "unknown")


def rows(project: Project, status: str) -> set[str]:
    with project.store.reading() as connection:
        ids = select(messages.c.message_id).where(messages.c.status == status)
        return set(connection.scalars(ids))


def looked(project: Project, waits: list[float] | None = None) -> looking_up.LookedUp:
    wait = (lambda _: None) if waits is None else waits.append
    return look_up(project, list(unknown(project)), wait)


def test_what_is_found_has_left_and_the_rest_stays_unknown(project: Project, hand: Hand) -> None:
    before = left_unknown(project, hand)
    there = set(hand.ids()) & before
    assert there
    assert before - there
    done = looked(project)
    assert (done.found, done.not_found) == (len(there), len(before - there))
    assert rows(project, "unknown") == before - there
    assert there <= rows(project, "accepted")
    assert looked(project).found == 0
    assert max(hand.ids().values()) == 1


def test_absence_proves_nothing_at_any_age(project: Project, hand: Hand, clock: VirtualClock) -> None:
    lost = left_unknown(project, hand) - set(hand.ids())
    clock.advance(timedelta(days=60))
    looked(project)
    assert rows(project, "unknown") == lost


def test_a_mail_is_settled_by_its_own_id_alone(project: Project, hand: Hand) -> None:
    """A search that passes over what it was asked for finds other mails: they prove nothing."""
    left_unknown(project, hand)
    [mail, *_] = [a for a in unknown(project) if a.key.message_id not in hand.ids()]
    other = hand.mails()[0]
    name = f"{other['x_message_id']}.recvd-1-0.0"
    told = '{"messages": [{"msg_id": "%s", "sg_message_id": "%s", "to_email": "%s"}]}'
    at = {"email_activity": "/v3/messages?", "logs": "/v3/logs"}[project.settings.sendgrid.look_up]
    hand.order(status=200, body=told % (name, name, other["to"]), at=at)
    assert look_up(project, [mail], lambda _: None).found == 0


def test_email_activity_is_asked_six_times_a_minute_at_most(project: Project, hand: Hand) -> None:
    left_unknown(project, hand)
    waits: list[float] = []
    looked(project, waits)
    asked = len(hand.asked())
    if project.settings.sendgrid.look_up == "email_activity":
        assert len(waits) == asked - 1
        assert min(waits) >= 10
    else:
        assert waits == []


@pytest.mark.parametrize(
    "trouble", [{"status": 429}, {"status": 500, "times": 2}, {"reset": True}, {"status": 200, "body": "{"}]
)
def test_a_look_up_is_repeated_where_it_was_not_answered(
    project: Project, hand: Hand, trouble: dict[str, Any]
) -> None:
    left_unknown(project, hand)
    hand.order(at="/v3/", **trouble)
    assert looked(project).found > 0


def test_what_is_no_list_of_mails_is_no_answer(project: Project, hand: Hand) -> None:
    left_unknown(project, hand)
    hand.order(status=200, body="{}", at="/v3/")
    with pytest.raises(TransportError, match="no list of mails"):
        looked(project)


def test_a_person_may_have_them_looked_up(
    project: Project, hand: Hand, aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = left_unknown(project, hand) & set(hand.ids())
    monkeypatch.setattr(EmailActivity, "apart", 0)  # nobody waits in a test
    mail = sorted(there)[0]
    assert aftersale("outbox", "resolve", mail, "--look-up", "--json").json == {"found": 1, "not_found": 0}
    gone = sorted(rows(project, "unknown") - there)[0]
    said = aftersale("outbox", "resolve", gone, "--look-up")
    assert "1 not found, which proves nothing" in said.out
    assert aftersale("outbox", "resolve", gone, "--look-up", "--accepted").code == 2


def test_where_no_way_is_set_that_is_told(
    hand: Hand, light_shop: Path, clock: VirtualClock, aftersale: Aftersale
) -> None:
    shop = Project(light_shop, clock)
    mail = sorted(left_unknown(shop, hand))[0]
    said = aftersale("outbox", "resolve", mail, "--look-up")
    assert said.code == 10
    assert "sendgrid.look_up is off" in said.err
    shop.close()
