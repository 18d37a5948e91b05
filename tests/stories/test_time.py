"""What was, what is, and what a run left half done."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from engine.clock import VirtualClock
from engine.store.connect import Store
from engine.store.tables import messages
from tests.stories.conftest import Aftersale


def test_the_past_is_told_by_what_was_decided_then(
    aftersale: Aftersale, shop: Path, clock: VirtualClock
) -> None:
    start = clock.now()
    aftersale("run", "--once")
    clock.advance(timedelta(days=3))
    aftersale("run", "--once")
    before = f"{start - timedelta(days=1):%Y-%m-%dT%H:%MZ}"
    said = aftersale("preview", "--at", before)
    assert (said.code, "no plan can be made for earlier" in said.err) == (2, True)
    [told] = aftersale("explain", "ann@example.com", "flagship-after-guide", "--json", "--at", before).json[
        "campaigns"
    ]
    assert told["runs"] == told["decisions"] == told["messages"] == []
    assert "been through" not in told["summary"]


OF_NOW = [
    "status",
    "doctor --slow",
    "outbox",
    "outbox show 1",
    "events",
    "suppress --export",
    "export customer a",
]


@pytest.mark.parametrize("words", OF_NOW)
def test_what_is_known_of_now_alone_says_so(aftersale: Aftersale, words: str) -> None:
    said = aftersale(*words.split(), "--at", "2026-12-24T09:00Z")
    told = f"{words.partition(' ')[0]} speaks of now alone, and takes no --at"
    assert (said.code, told in said.err) == (2, True)


def test_what_was_sold_by_an_instant(aftersale: Aftersale, light_shop: Path, clock: VirtualClock) -> None:
    def pieces(*words: str) -> int:
        found = aftersale("products", "--json", *words).json["products"]
        return sum(each["sold"]["pieces"] for each in found if each["sold"])

    before = f"{clock.now() - timedelta(days=60):%Y-%m-%dT%H:%MZ}"
    assert 0 < pieces("--at", before) < pieces()
    assert pieces("--at", "1971-01-01T00:00Z") == 0
    assert aftersale("products", "--write", "--at", before).code == 2


def test_everything_that_is_read_can_be_a_document(aftersale: Aftersale, light_shop: Path) -> None:
    address = aftersale("preview", "--json").json["mails"][0]["to"]
    assert aftersale("export", "customer", address, "--json").json
    aftersale("suppress", address)
    [row] = aftersale("suppress", "--export", "--json").json["suppressed"]
    assert (row["email"], row["reason"], row["source"]) == (address, "unsubscribed", "command line")


def test_a_preview_knows_what_a_dead_run_left(aftersale: Aftersale, shop: Path, clock: VirtualClock) -> None:
    """Some mails had left when it died, and some had not: the preview looks, as the next run does."""
    aftersale("run", "--once")
    files = sorted((shop / "outbox" / "mails").rglob("*.eml"))
    store = Store("sqlite:///aftersale.db")
    with store.writing() as connection:
        died = {"status": "sending", "lease_until": clock.now() - timedelta(days=900), "settled_at": None}
        connection.execute(update(messages).where(messages.c.status == "accepted").values(died))
    store.close()
    lost = files[: len(files) // 2]
    for file in lost:
        file.unlink()
    listed = {mail["message_id"] for mail in aftersale("preview", "--json", "--days", 0).json["mails"]}
    ran = aftersale("run", "--once", "--json").json
    assert listed == {file.stem for file in lost}
    assert (ran["delivered"]["accepted"], ran["delivered"]["found"]) == (len(lost), len(files) - len(lost))
    assert sorted((shop / "outbox" / "mails").rglob("*.eml")) == files


def test_mails_wait_for_a_campaign_whose_file_has_a_mistake(aftersale: Aftersale, shop: Path) -> None:
    Path("outbox").touch()  # no folder can be made there: the run plans, and cannot deliver
    assert aftersale("run", "--once").code == 16
    Path("outbox").unlink()
    campaign = Path("campaigns/win-back.yaml")
    sound = campaign.read_text()
    campaign.write_text(sound + "bogus: 1\n")
    first = aftersale("run", "--once", "--json").json["delivered"]["accepted"]
    campaign.write_text(sound)
    second = aftersale("run", "--once", "--json").json["delivered"]
    assert first > 0
    assert second["accepted"] > 0
    assert second["rejected"] == 0
