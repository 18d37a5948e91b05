"""A campaign that has sent and is in no file any more: told by every command, and its runs end."""

from pathlib import Path

import pytest

from engine.clock import VirtualClock
from tests.planning.harness import DAY
from tests.stories.conftest import Aftersale

TOLD = "campaigns: the campaign 'stalled-learner' has sent mail, and is in no file any more"


@pytest.fixture
def shop(light_shop: Path) -> Path:
    return light_shop


@pytest.fixture
def removed(aftersale: Aftersale, shop: Path, clock: VirtualClock) -> Path:
    """A shop that has sent, a day later, with one campaign's file gone."""
    assert aftersale("run", "--once").code == 0
    clock.advance(DAY)
    Path("campaigns/stalled-learner.yaml").unlink()
    return shop


ASKING = [
    ("run", "--once"),
    ("preview", "--days", 0),
    ("status",),
    ("segment", "lapsed"),
    ("explain", "ann@example.com"),
]


@pytest.mark.parametrize("words", ASKING)
def test_commands_that_ask_the_database_warn(
    aftersale: Aftersale, removed: Path, words: tuple[object, ...]
) -> None:
    said = aftersale(*words)
    assert (said.code, TOLD in said.err, bool(said.out)) == (1, True, True)


def test_check_tells_it_as_a_problem(aftersale: Aftersale, removed: Path) -> None:
    said = aftersale("check", "--json")
    [problem] = said.json["problems"]
    assert (said.code, problem["file"], "stalled-learner" in problem["message"]) == (1, "campaigns", True)


def test_its_runs_end_and_its_mails_do_not_leave(aftersale: Aftersale, removed: Path) -> None:
    before = aftersale("status", "--json").json
    counts = aftersale("preview", "--json", "--days", 0).json["counts"]
    ended = [count for count in counts if count["campaign"] == "stalled-learner"]
    assert {(count["verdict"], count["reason"]) for count in ended} == {("skip", "campaign_removed")}
    ran = aftersale("run", "--once", "--json").json
    assert ran["decided"] == [count for count in counts if count["verdict"] != "none"]
    after = aftersale("status", "--json").json
    assert after["vanished"] == ["stalled-learner"]
    assert after["active_runs"] < before["active_runs"]
    assert "stalled-learner" not in {
        count["campaign"] for count in aftersale("preview", "--json", "--days", 30).json["calendar"]
    }


@pytest.mark.parametrize(
    "mistake",
    ["campaign: stalled-learner\nsteps: 3\n", "campaign: stalled-learner\nsteps: ][\n", "campain: stalled-learner\n"],
)  # fmt: skip
def test_a_file_with_mistakes_is_not_a_file_that_is_gone(
    aftersale: Aftersale, removed: Path, mistake: str
) -> None:
    """While one file's id cannot be read, it may be any."""
    Path("campaigns/elsewhere.yaml").write_text(mistake)
    before = aftersale("status", "--json").json
    ran = aftersale("run", "--once", "--json")
    assert "has sent mail" not in ran.err
    assert "campaign_removed" not in {count["reason"] for count in ran.json["decided"]}
    assert aftersale("status", "--json").json["active_runs"] >= before["active_runs"]


def test_a_folder_that_is_gone_ends_nothing(aftersale: Aftersale, removed: Path) -> None:
    Path("campaigns").rename("elsewhere")
    ran = aftersale("run", "--once", "--json")
    assert (ran.code, ran.json["decided"]) == (1, [])


def test_a_campaign_that_never_sent_may_go(aftersale: Aftersale, shop: Path) -> None:
    """It was planned with, so its runs end, but nobody has heard of it."""
    Path("campaigns/late.yaml").write_text(
        "campaign: late\naudience: {bought: {product: starter-guide}}\n"
        "steps: [{id: a, after: 9d, email: {subject: Hello, template: win-back/focaccia.html}}]\n"
    )
    assert aftersale("run", "--once").code == 0
    Path("campaigns/late.yaml").unlink()
    assert aftersale("check").code == 0
    ran = aftersale("run", "--once", "--json")
    assert "campaigns:" not in ran.err
    assert "campaign_removed" in {count["reason"] for count in ran.json["decided"]}


def test_check_goes_on_without_a_database(aftersale: Aftersale, removed: Path) -> None:
    for file in removed.glob("aftersale.db*"):
        file.unlink()
    assert aftersale("check").code == 0
    assert not Path("aftersale.db").exists(), "it makes none"
    Path("aftersale.db").write_text("not a database at all, but long enough to be taken for one\n" * 20)
    said = aftersale("check")
    assert (said.code, "the database was not asked" in said.err) == (0, True)
