"""What a person does to mails by hand, as typed: pause, resume, cancel, outbox, adopt; and a rehearsal."""

import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from engine.app.project import Project
from engine.clock import VirtualClock
from engine.store.tables import messages
from tests.stories.conftest import Aftersale


@pytest.fixture
def shop(light_shop: Path) -> Path:
    return light_shop


def sent(folder: str = "outbox") -> set[str]:
    return {file.stem for file in Path(folder).rglob("*.eml")}


def states(aftersale: Aftersale) -> Counter[str]:
    counted: Counter[str] = Counter()
    for each in aftersale("status", "--json").json["mails"]:
        counted[each["status"]] += each["mails"]
    del counted["held_out"]
    return counted


def listed(aftersale: Aftersale, *words: str) -> list[dict[str, Any]]:
    return aftersale("outbox", "--most", 1000, "--json", *words).json["mails"]


def change(shop: Path, **values: Any) -> None:
    """Set columns of every mail that has left or is to leave, behind everybody's back."""
    project = Project(shop)
    with project.store.writing() as connection:
        connection.execute(update(messages).where(messages.c.status != "held_out").values(**values))
    project.close()


@pytest.fixture
def waiting(aftersale: Aftersale, shop: Path) -> int:
    """Mails that were planned, and wait in the outbox: as after a daemon that was stopped."""
    assert aftersale("run", "--once").code == 0
    shutil.rmtree("outbox")
    change(shop, status="scheduled", settled_at=None, attempt=0, message_id=None)
    return states(aftersale)["scheduled"]


# ── pause and resume ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", [[], ["win-back"]])
def test_what_is_paused_is_not_sent_and_says_so(aftersale: Aftersale, shop: Path, what: list[str]) -> None:
    assert aftersale("pause", *what).code == 0
    decided = aftersale("run", "--once", "--json").json["decided"]
    reasons = {(each["campaign"], each["reason"]) for each in decided}
    assert ("win-back", "paused") in reasons
    assert bool(sent()) == bool(what), "the other campaigns go on"
    [paused] = aftersale("status", "--json").json["paused"]
    assert paused["campaign"] == (what[0] if what else None)


def test_a_pause_holds_for_mails_that_wait_already_and_ends_with_the_next_plan(
    aftersale: Aftersale, waiting: int
) -> None:
    aftersale("pause")
    aftersale("run", "--once")
    assert (sent(), states(aftersale)) == (set(), {"scheduled": waiting})
    assert "is paused" in aftersale("explain", str(listed(aftersale)[0]["customer_id"])).out
    assert aftersale("resume", "--json").json == {"resumed": True, "paused": []}
    aftersale("run", "--once")
    assert len(sent()) == waiting


def test_a_preview_shows_what_a_pause_does(aftersale: Aftersale, shop: Path) -> None:
    aftersale("pause")
    seen = aftersale("preview", "--json").json
    ran = aftersale("run", "--once", "--json").json
    assert [c for c in seen["counts"] if c["verdict"] in ("send", "hold", "skip")] == ran["decided"]


def test_a_campaign_that_is_not_there_cannot_be_paused(aftersale: Aftersale, shop: Path) -> None:
    said = aftersale("pause", "winback")
    assert said.code == 11
    assert "did you mean 'win-back'?" in said.err


def test_a_campaign_paused_by_itself_stays_so_when_everything_is_resumed(
    aftersale: Aftersale, shop: Path
) -> None:
    aftersale("pause")
    aftersale("pause", "win-back")
    assert "still paused: win-back" in aftersale("resume").out
    assert "there was no pause of everything" in aftersale("resume").out


# ── cancel ──────────────────────────────────────────────────────────────────────────────────────


def test_cancel_asks_with_the_very_number_that_it_cancels(aftersale: Aftersale, waiting: int) -> None:
    theirs = [
        mail["message_id"] for mail in listed(aftersale, "--campaign", "win-back", "--status", "scheduled")
    ]
    said = aftersale("cancel", "win-back")
    assert said.code == 2
    assert f"{len(theirs)} mails of win-back will never leave" in said.err
    assert states(aftersale) == {"scheduled": waiting}, "nobody said yes"
    assert aftersale("cancel", "win-back", "--yes", "--json").json == {
        "cancelled": len(theirs),
        "left_meanwhile": 0,
    }
    aftersale("run", "--once")
    assert len(sent()) == waiting - len(theirs)
    assert not sent() & set(theirs)


def test_one_mail_is_cancelled_by_its_id_and_no_other(aftersale: Aftersale, waiting: int) -> None:
    one = listed(aftersale, "--status", "scheduled")[3]["message_id"]
    assert aftersale("cancel", one, "--yes").code == 0
    aftersale("run", "--once")
    assert len(sent()) == waiting - 1
    assert one not in sent()
    assert "by hand" in aftersale("outbox", "show", one).out
    assert aftersale("cancel", one, "--yes").code == 2, "there is nothing left to cancel"


def test_what_was_cancelled_in_a_pause_is_not_said_to_be_held(aftersale: Aftersale, waiting: int) -> None:
    mail = listed(aftersale, "--campaign", "win-back", "--status", "scheduled")[0]
    aftersale("pause", "win-back")
    aftersale("run", "--once")
    aftersale("cancel", mail["message_id"], "--yes")
    aftersale("resume", "win-back")
    told = aftersale("explain", str(mail["customer_id"]), "win-back").out
    assert "from-the-oven' was cancelled: " in told
    assert "is held" not in told


ONE = [
    ("scheduled", "cancel", "1 mail of {} will never leave. Cancel it?"),
    ("held", "outbox release", "1 held mail of {} will leave. Release it?"),
    ("rejected", "outbox retry", "1 rejected mail of {} will be tried again. Is the cause mended?"),
    ("unknown", "outbox resolve --accepted", "1 mail of {} left, and will never be sent again. Is that so?"),
]


@pytest.mark.parametrize(("state", "words", "question"), ONE)
def test_one_mail_is_told_as_one(
    aftersale: Aftersale, shop: Path, waiting: int, state: str, words: str, question: str
) -> None:
    change(shop, status=state)
    one = listed(aftersale)[0]["message_id"]
    assert question.format(one) in aftersale(*words.split(), one).err


@pytest.mark.parametrize("name", ["winback", "17e2a6be-2882-5cd4-acc4-829f4a16fe5d"])
def test_what_is_not_there_cannot_be_cancelled(aftersale: Aftersale, shop: Path, name: str) -> None:
    assert aftersale("cancel", name, "--yes").code == 11


# ── outbox ──────────────────────────────────────────────────────────────────────────────────────


def test_the_outbox_is_listed_by_state_campaign_and_customer(aftersale: Aftersale, shop: Path) -> None:
    aftersale("run", "--once")
    mail, *_ = listed(aftersale, "--status", "accepted", "--campaign", "win-back")
    assert mail["message_id"] in sent()
    [same] = listed(aftersale, "--customer", str(mail["customer_id"]), "--status", "accepted")
    assert same == mail
    assert aftersale("outbox", "--status", "acepted").code == 11
    assert f"{mail['message_id'][:8]}" in aftersale("outbox", "--most", "1000").out


def test_the_id_of_a_mail_can_be_copied_from_the_list(aftersale: Aftersale, waiting: int) -> None:
    shown = aftersale("outbox").out
    assert all(mail["message_id"] in shown for mail in listed(aftersale))


def test_one_mail_is_told_with_its_decision_and_its_evidence(aftersale: Aftersale, shop: Path) -> None:
    aftersale("run", "--once")
    with_proof = [listed(aftersale, "--campaign", "stalled-learner", "--status", "accepted")[0]["message_id"]]
    told = aftersale("outbox", "show", with_proof[0], "--json").json
    assert told["decision"]["verdict"] == "send"
    assert told["evidence"]
    assert told["transport"] == "folder"


@pytest.mark.parametrize(("word", "state"), [("--accepted", "accepted"), ("--not-sent", "scheduled")])
def test_a_person_says_what_became_of_mails_of_unknown_fate(
    aftersale: Aftersale, shop: Path, word: str, state: str
) -> None:
    aftersale("run", "--once")
    change(shop, status="unknown")
    assert aftersale("status", "--json").json["stuck"] == len(sent())
    assert aftersale("outbox", "resolve", "win-back", "--yes").code == 2, "one of both words is needed"
    done = aftersale("outbox", "resolve", "win-back", word, "--yes", "--json").json["resolved"]
    assert 0 < done < len(sent())
    assert states(aftersale) == {state: done, "unknown": len(sent()) - done}


def test_what_was_rejected_goes_again_once_its_cause_is_mended(aftersale: Aftersale, shop: Path) -> None:
    aftersale("run", "--once")
    mails = sent()
    change(shop, status="rejected", error="554 5.7.1 relay access denied")
    assert "✗ rejected" in aftersale("doctor").out
    shutil.rmtree("outbox")
    for named in (sorted(mails)[0], "win-back"):
        assert aftersale("outbox", "retry", named, "--yes", "--json").json["retried"] > 0
    assert aftersale("outbox", "retry", "win-back", "--yes").code == 2, "none is left"
    again = {mail["message_id"] for mail in listed(aftersale, "--status", "scheduled")}
    assert 1 < len(again) < len(mails)
    aftersale("run", "--once")
    assert (sent() & mails, states(aftersale)["rejected"]) == (again, len(mails) - len(again))


# ── a copied database ───────────────────────────────────────────────────────────────────────────


def test_a_copy_never_mails_until_it_is_adopted_and_then_holds_what_was_due(
    aftersale: Aftersale, shop: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    aftersale("run", "--once")
    clock.advance(timedelta(days=4))
    copy = Path(shutil.copytree(shop, shop.parent / "copy"))
    expected = aftersale("run", "--once", "--json").json["planned"]
    assert expected > 0, "the original goes on"
    monkeypatch.chdir(copy)
    before = sent()
    said = aftersale("run", "--once")
    assert said.code == 17
    assert "is a copy, or was moved" in said.err
    refused = said.err.splitlines()[0].removeprefix("error: ")
    for words in (("status",), ("preview",), ("explain", "ann@example.com", "win-back")):
        assert f"NOT MAILING: {refused}; see aftersale adopt" in aftersale(*words).out
        assert aftersale(*words, "--json").json["not_adopted"] == refused
    assert "generation" in aftersale("doctor").out
    assert aftersale("adopt").code == 2, "nobody said yes"
    assert aftersale("adopt", "--yes", "--json").json == {"adopted": True, "held": expected}
    assert aftersale("run", "--once").code == 0
    assert aftersale("preview", "--json").json["not_adopted"] is None
    assert (sent(), states(aftersale)["held"]) == (before, expected)

    some = listed(aftersale, "--status", "held")
    assert aftersale("cancel", some[0]["message_id"], "--yes").code == 0
    assert aftersale("outbox", "release", some[1]["message_id"], "--yes", "--json").json == {"released": 1}
    aftersale("run", "--once")
    assert sent() - before == {some[1]["message_id"]}


def test_what_was_under_way_when_it_was_copied_is_held_as_well(
    aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aftersale("run", "--once")
    change(shop, status="unknown")
    number = len(sent())
    monkeypatch.chdir(shutil.copytree(shop, shop.parent / "copy"))
    assert aftersale("adopt", "--yes", "--json").json["held"] == number
    shutil.rmtree("outbox")
    aftersale("run", "--once")
    assert not sent()


def test_what_was_kept_back_at_adoption_is_for_review_later_and_its_preview_says_so(
    aftersale: Aftersale, shop: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    aftersale("run", "--once")
    clock.advance(timedelta(days=4))
    monkeypatch.chdir(shutil.copytree(shop, shop.parent / "copy"))
    aftersale("pause")
    assert aftersale("adopt", "--yes", "--json").json["held"] == 0, "nothing is decided in a pause"
    aftersale("resume")
    before, seen = sent(), aftersale("preview", "--json", "--days", "0").json
    for_review = sum(count["people"] for count in seen["counts"] if count["reason"] == "review")
    assert (seen["mails"], seen["calendar"], for_review > 0) == ([], [], True)
    aftersale("run", "--once")
    assert (sent(), states(aftersale)["held"]) == (before, for_review)


def test_a_database_that_was_moved_is_adopted_without_holding_anything(
    aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aftersale("run", "--once")
    shop.rename(shop.parent / "elsewhere")
    monkeypatch.chdir(shop.parent / "elsewhere")
    assert aftersale("run", "--once").code == 17
    assert aftersale("adopt", "--hold-nothing", "--yes", "--json").json == {"adopted": True, "held": 0}
    assert aftersale("run", "--once").code == 0
    assert "Nothing to adopt" in aftersale("adopt").out


# ── a rehearsal ─────────────────────────────────────────────────────────────────────────────────


def test_in_a_rehearsal_only_those_on_the_list_get_mail(
    aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = [each["to"] for each in aftersale("preview", "--json").json["mails"]]
    wanted = [address for address in due if address.endswith("@example.org")]
    monkeypatch.setenv("AFTERSALE_STAGING__ONLY", '["@example.org"]')
    assert aftersale("run", "--once").code == 0
    assert 0 < len(sent()) == len(wanted) < len(due)
    cancelled = listed(aftersale, "--status", "cancelled")
    assert len(cancelled) == len(due) - len(wanted)
    assert {mail["error"] for mail in cancelled} == {"a rehearsal: the address is not in staging.only"}
