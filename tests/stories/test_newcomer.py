"""What a newcomer does, in the order of the README."""

from datetime import timedelta
from pathlib import Path

from engine.clock import VirtualClock
from tests.stories.conftest import Aftersale


def test_from_an_empty_folder_to_the_first_mails(aftersale: Aftersale, shop: Path) -> None:
    assert aftersale("check").out.startswith("all is well: 7 sound campaigns")
    preview = aftersale("preview", "--days", 14, "--html", "out")
    assert preview.code == 0
    assert "what a run would do" in (shop / "out" / "index.html").read_text()
    assert list((shop / "out" / "mails").glob("*.html"))
    assert "Ann" in aftersale("explain", "ann@example.com", "flagship-after-guide").out
    assert "accepted" in aftersale("run", "--once").out
    assert list((shop / "outbox" / "mails").rglob("*.eml"))
    assert "accepted" in aftersale("status").out


def test_importing_the_same_files_again_changes_nothing(aftersale: Aftersale, shop: Path) -> None:
    for file in aftersale("import", "data/customers.csv", "data/orders.csv", "--json").json["files"]:
        assert (file["inserted"], file["updated"], file["rejected"]) == (0, 0, 0)
        assert file["unchanged"] == file["read"] > 0


def test_a_second_run_at_the_same_instant_sends_nothing(aftersale: Aftersale, shop: Path) -> None:
    first = aftersale("run", "--once", "--json").json
    second = aftersale("run", "--once", "--json").json
    assert first["planned"] > 0
    assert second["planned"] == second["delivered"]["accepted"] == 0


def test_a_suppressed_address_gets_nothing_more(
    aftersale: Aftersale, shop: Path, clock: VirtualClock
) -> None:
    [first, *_] = aftersale("preview", "--json", "--days", 0).json["mails"]
    assert "suppressed" in aftersale("suppress", first["to"]).out
    assert "already" in aftersale("suppress", first["to"].upper()).out
    later = aftersale("preview", "--json", "--days", 0).json["mails"]
    assert first["to"] not in {mail["to"] for mail in later}
    told = aftersale("explain", first["to"], first["campaign"]).out
    assert "the address is suppressed" in told


def test_segments_count_and_list_the_same_people(aftersale: Aftersale, shop: Path) -> None:
    count = aftersale("segment", "lapsed", "--json").json["count"]
    assert f"lapsed: {count:,} people" in aftersale("segment", "lapsed").out
    assert len(aftersale("segment", "lapsed", "--ids").out.splitlines()) == count
    assert len(aftersale("segment", "lapsed", "--ids", "--json").json["people"]) == count
    audience = aftersale("segment", "--campaign", "win-back", "--json").json["count"]
    assert audience == aftersale("preview", "--json", "--days", 0).json["audiences"]["win-back"]
    Path("rule.yaml").write_text("all:\n  - segment: lapsed\n  - ordered: {at_least: 2}\n")
    assert 0 < aftersale("segment", "--rule", "rule.yaml", "--json").json["count"] < count


def test_at_tells_what_was(aftersale: Aftersale, shop: Path, clock: VirtualClock) -> None:
    at = f"{clock.now() - timedelta(days=200):%Y-%m-%dT%H:%MZ}"
    then = aftersale("segment", "regulars", "--json", "--at", at).json["count"]
    assert then < aftersale("segment", "regulars", "--json").json["count"]


def test_a_customers_timeline(aftersale: Aftersale, shop: Path) -> None:
    said = aftersale("preview", "--customer", "ann@example.com", "--days", 14, "--json").json
    assert {moment["campaign"] for moment in said["timeline"]} <= {
        "flagship-after-guide",
        "stalled-learner",
        "win-back",
    }
    assert said["timeline"]
    assert "half-a-loaf" in aftersale("preview", "--customer", "ann@example.com", "--days", 14).out


def test_a_preview_of_one_campaign_shows_that_one(aftersale: Aftersale, shop: Path) -> None:
    everything = aftersale("preview", "--json").json
    one = aftersale("preview", "win-back", "--json").json
    assert one["mails"] == [mail for mail in everything["mails"] if mail["campaign"] == "win-back"]
    assert {count["campaign"] for count in one["counts"]} == {"win-back"}
    assert "stalled-learner" not in aftersale("preview", "win-back").out
