"""Our list of suppressed addresses and SendGrid's: both ways, again and again, through all its troubles."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.app.agreeing import Agreed, How, agree
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.errors import SettingsError, TransportError
from engine.facts.suppression import address_hash, suppress
from engine.store.tables import identities, suppressions
from tests.conftest import NOW
from tests.fake_sendgrid.hand import Hand
from tests.stories.conftest import Aftersale, say

DAY = timedelta(days=1)
AT = int(NOW.timestamp()) - 10 * 24 * 3600


@pytest.fixture
def hand(sendgrid: Hand, monkeypatch: pytest.MonkeyPatch) -> Hand:
    say(monkeypatch, SENDGRID__TIMEOUT="1s", SENDGRID__SUPPRESSIONS="both")
    return sendgrid


@pytest.fixture
def project(hand: Hand, light_shop: Path, clock: VirtualClock) -> Iterator[Project]:
    with closing(Project(light_shop, clock)) as opened:
        yield opened


def agreed(project: Project, **how: Any) -> Agreed:
    return agree(project, project.clock.now(), How(**how), wait=lambda _: None)


def listed(project: Project) -> dict[str, tuple[str, int, str]]:
    """Why, since which second and by whom each address is suppressed, by its hash."""
    with project.store.reading() as connection:
        rows = connection.execute(select(suppressions)).all()
    return {row.address_hash: (row.reason, int(row.at.timestamp()), row.source) for row in rows}


def suppress_here(project: Project, address: str, reason: str, source: str = "command line") -> None:
    with project.store.writing() as connection:
        suppress(connection, address, reason, source, project.clock.now())


def customers(project: Project, number: int) -> list[str]:
    with project.store.reading() as connection:
        known = select(identities.c.value).where(identities.c.kind == "email")
        return list(connection.scalars(known.order_by(identities.c.value).limit(number)))


# ── what stands there ───────────────────────────────────────────────────────────────────────────


def test_whom_it_sends_nothing_to_gets_nothing_here(project: Project, hand: Hand) -> None:
    hand.put_on_lists(
        bounces={"Gone@loaf.example": AT, "jo@xn--bcher-kva.example": AT},
        invalid_emails={"nowhere@nowhere.example": AT + 1},
        spam_reports={"angry@loaf.example": AT + 2},
        unsubscribes={"done@loaf.example": AT + 3},
        blocks={"refused-once@loaf.example": AT + 4},
    )
    assert agreed(project).new == 5
    assert listed(project) == {
        address_hash("gone@loaf.example"): ("bounced", AT, "sendgrid bounces"),
        address_hash("jo@bücher.example"): ("bounced", AT, "sendgrid bounces"),
        address_hash("nowhere@nowhere.example"): ("bounced", AT + 1, "sendgrid invalid_emails"),
        address_hash("angry@loaf.example"): ("complained", AT + 2, "sendgrid spam_reports"),
        address_hash("done@loaf.example"): ("unsubscribed", AT + 3, "sendgrid unsubscribes"),
    }
    before = listed(project)
    assert agreed(project).new == agreed(project, whole=True).new == 0
    assert listed(project) == before


def test_a_graver_reason_there_outweighs_a_wish_here(project: Project, hand: Hand) -> None:
    suppress_here(project, "ann@loaf.example", "unsubscribed")
    suppress_here(project, "bob@loaf.example", "complaint")
    hand.put_on_lists(spam_reports={"ann@loaf.example": AT}, unsubscribes={"bob@loaf.example": AT})
    agreed(project)
    here = listed(project)
    assert here[address_hash("ann@loaf.example")][0] == "complained"
    assert here[address_hash("bob@loaf.example")][0] == "complaint"


def test_a_long_list_is_read_page_by_page_and_then_only_what_is_new(
    project: Project, hand: Hand, clock: VirtualClock
) -> None:
    hand.put_on_lists(bounces={f"p{n}@loaf.example": AT + n for n in range(1201)})
    assert agreed(project).new == 1201
    bounces = [each["path"] for each in hand.asked() if "bounces" in each["path"]]
    assert ["offset=0" in bounces[0], "offset=500" in bounces[1], "offset=1000" in bounces[2]] == [True] * 3
    assert all("start_time" not in path for path in bounces)

    clock.advance(DAY)
    fresh = {f"p{n}@loaf.example": AT + n for n in range(1201)} | {"new@loaf.example": int(NOW.timestamp())}
    hand.put_on_lists(bounces=fresh)
    hand.forget()
    found = agreed(project)
    assert (found.new, found.read[0].entries) == (1, 1)
    [path] = [each["path"] for each in hand.asked() if "bounces" in each["path"]]
    assert f"start_time={int((NOW - DAY).timestamp())}" in path


def test_a_list_that_was_not_read_to_its_end_is_read_from_its_beginning(project: Project, hand: Hand) -> None:
    hand.put_on_lists(bounces={f"p{n}@loaf.example": AT + n for n in range(700)})
    hand.order(status=500, at="/v3/suppression/bounces", after=1, times=5)
    with pytest.raises(TransportError, match="no usable answer"):
        agreed(project)
    assert len(listed(project)) == 500  # the latest; what was read is kept
    assert agreed(project).new == 200
    assert len(listed(project)) == 700


def test_a_group_is_one_of_the_lists(
    project: Project, hand: Hand, light_shop: Path, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    hand.put_on_lists(group_7={"left@loaf.example": AT}, group_8={"other@loaf.example": AT})
    assert agreed(project).new == 0
    monkeypatch.setenv("AFTERSALE_SENDGRID__ASM_GROUP", "7")
    of_the_group = Project(light_shop, clock)
    assert agreed(of_the_group).new == 1
    assert listed(of_the_group) == {
        address_hash("left@loaf.example"): ("unsubscribed", AT, "sendgrid group 7")
    }
    of_the_group.close()


# ── what is put there ───────────────────────────────────────────────────────────────────────────


def test_whom_a_person_suppressed_here_is_put_there(project: Project, hand: Hand) -> None:
    ann, bob, cid, dan, eve = customers(project, 5)
    suppress_here(project, ann, "unsubscribed", "preference page")
    suppress_here(project, bob, "complaint")
    suppress_here(project, cid, "bounced", "smtp")  # told by a mail server
    suppress_here(project, dan, "unreachable", "sendgrid")
    suppress_here(project, "nobody@loaf.example", "complaint")  # whose address is known to nobody
    hand.put_on_lists(unsubscribes={eve: AT})
    found = agreed(project)
    assert [(each.missing, each.put, each.refused) for each in found.put] == [(2, 2, 0)]
    assert found.by_hash == 1
    assert set(hand.lists()["unsubscribes"]) == {ann, bob, eve}

    hand.forget()
    assert [each.missing for each in agreed(project).put] == [0]
    assert [each for each in hand.asked() if each["method"] == "POST"] == []
    assert {source for _, _, source in listed(project).values()} >= {"preference page", "command line"}


def test_a_wish_is_put_into_the_group_and_what_is_graver_on_the_list_of_all(
    project: Project, hand: Hand, light_shop: Path, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    ann, bob = customers(project, 2)
    suppress_here(project, ann, "unsubscribed")
    suppress_here(project, bob, "complaint")
    monkeypatch.setenv("AFTERSALE_SENDGRID__ASM_GROUP", "7")
    of_the_group = Project(light_shop, clock)
    with pytest.raises(SettingsError, match="there is no unsubscribe group 7"):
        agreed(of_the_group)
    hand.put_on_lists(group_7={})
    agreed(of_the_group)
    there = hand.lists()
    assert (set(there["group 7"]), set(there["unsubscribes"])) == ({ann}, {bob})
    of_the_group.close()


def test_an_address_that_it_refuses_takes_no_other_with_it(project: Project, hand: Hand) -> None:
    ann = customers(project, 1)[0]
    with project.store.writing() as connection:
        row = select(identities.c.customer_id).where(identities.c.value == ann)
        owner = connection.scalar(row)
        odd = {"kind": "email", "value": "refused@loaf.example", "customer_id": owner}
        connection.execute(identities.insert(), odd)
    suppress_here(project, ann, "unsubscribed")
    suppress_here(project, "refused@loaf.example", "unsubscribed")
    [put] = agreed(project).put
    assert (put.put, put.refused) == (1, 1)
    assert set(hand.lists()["unsubscribes"]) == {ann}


def test_by_itself_nothing_is_put_there(
    hand: Hand, light_shop: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is that of the whole account, and other tools mail by it: somebody has to want it."""
    monkeypatch.delenv("AFTERSALE_SENDGRID__SUPPRESSIONS")
    shop = Project(light_shop, clock)
    suppress_here(shop, customers(shop, 1)[0], "unsubscribed")
    [put] = agreed(shop).put
    assert (put.missing, put.put, hand.lists()["unsubscribes"]) == (1, 0, {})
    shop.close()


# ── what differs ────────────────────────────────────────────────────────────────────────────────


def test_who_was_lifted_here_stays_lifted_and_is_told(
    project: Project, hand: Hand, aftersale: Aftersale
) -> None:
    hand.put_on_lists(unsubscribes={"ann@loaf.example": AT})
    agreed(project)
    aftersale("suppress", "ann@loaf.example", "--lift")
    assert (agreed(project).lifted, agreed(project, whole=True).lifted) == (1, 1)
    assert listed(project) == {}
    hand.put_on_lists(unsubscribes={"ann@loaf.example": AT + 5})  # who left once more
    assert agreed(project, whole=True).new == 1


def test_who_was_taken_from_its_list_stays_suppressed_here_and_is_told(
    project: Project, hand: Hand, clock: VirtualClock
) -> None:
    hand.put_on_lists(bounces={"ann@loaf.example": AT})
    agreed(project)
    clock.advance(DAY)
    hand.put_on_lists(bounces={})
    assert agreed(project, whole=True, dry=True).gone == 1
    assert agreed(project, whole=True).gone == 1
    assert len(listed(project)) == 1


def test_a_dry_run_tells_the_same_and_writes_nothing(
    project: Project, hand: Hand, aftersale: Aftersale
) -> None:
    ann, bob = customers(project, 2)
    suppress_here(project, ann, "unsubscribed")
    suppress_here(project, bob, "unsubscribed")
    hand.put_on_lists(unsubscribes={bob: AT}, bounces={"gone@loaf.example": AT})
    before = listed(project)
    dry = aftersale("suppress", "--sync", "--dry-run", "--json").json
    assert (listed(project), hand.lists()["unsubscribes"]) == (before, {bob: AT})
    done = aftersale("suppress", "--sync", "--json").json
    assert [each["new"] for each in dry["read"]] == [each["new"] for each in done["read"]] == [1, 0, 0, 0]
    assert dry["put"][0]["missing"] == done["put"][0]["put"] == 1
    said = aftersale("suppress", "--sync")
    assert said.code == 0
    assert "sendgrid unsubscribes: nobody is missing" in said.out


@pytest.mark.parametrize("words", [["--sync", "a@b.example"], ["--dry-run"], ["--json", "a@b.example"]])
def test_what_belongs_to_the_comparison_is_taken_with_it_alone(
    hand: Hand, light_shop: Path, aftersale: Aftersale, words: list[str]
) -> None:
    assert aftersale("suppress", *words).code == 2


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 429, "times": 2},
        {"status": 503, "times": 3},
        {"reset": True, "times": 2},
        {"hang": True},
        {"status": 200, "body": "[{"},
    ],
    ids=["busy", "broken", "torn down", "silent", "half an answer"],
)
def test_what_was_not_answered_is_asked_again(project: Project, hand: Hand, trouble: dict[str, Any]) -> None:
    hand.put_on_lists(bounces={"gone@loaf.example": AT})
    hand.order(at="/v3/suppression/bounces", **trouble)
    assert agreed(project).new == 1


def test_it_is_asked_as_often_as_it_allows(project: Project, hand: Hand) -> None:
    hand.order(status=429, headers={"Retry-After": "7"}, at="/v3/suppression/bounces")
    hand.order(headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, at="/v3/suppression/inv")
    waits: list[float] = []
    agree(project, project.clock.now(), How(), wait=waits.append)
    assert waits == [7.0, 1.0]


def test_a_key_without_the_right_is_told_so(project: Project, hand: Hand, aftersale: Aftersale) -> None:
    denied = '{"errors": [{"message": "access forbidden", "field": null, "help": null}]}'
    hand.order(status=403, body=denied, at="/v3/suppression/")
    said = aftersale("suppress", "--sync")
    assert said.code == 16
    assert "the key of SendGrid may not do this: 403 access forbidden" in said.err
    assert "give it the right Suppressions" in said.err


def test_what_is_switched_off_is_told(
    hand: Hand, light_shop: Path, aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_SENDGRID__SUPPRESSIONS", "off")
    said = aftersale("suppress", "--sync")
    assert said.code == 10
    assert "sendgrid.suppressions is off" in said.err
