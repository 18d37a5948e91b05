"""Mails that came back, by command."""

from pathlib import Path

import pytest

from tests.delivery.post_office import key
from tests.delivery.test_bounces import report
from tests.stories.conftest import Aftersale


def test_the_command_reads_a_folder_and_puts_away_what_is_in_it(aftersale: Aftersale, tmp_path: Path) -> None:
    assert aftersale("init", "shop").code == 0
    back = tmp_path / "back"
    back.mkdir()
    (back / "spam.eml").write_bytes(b"Subject: \x1b[31mwin\n\nclick")
    said = aftersale("bounces", back, "--project", "shop", "--json")
    assert said.json == {
        "files": [{"file": "spam.eml", "means": "parked: there is no delivery status in it"}]
    }
    assert "no mail came back" in aftersale("bounces", back, "--project", "shop").err


def test_a_folder_must_be_named_and_be_there(aftersale: Aftersale) -> None:
    assert aftersale("init", "shop").code == 0
    assert "set smtp.bounces_folder" in aftersale("bounces", "--project", "shop").err
    assert "there is no folder" in aftersale("bounces", "nowhere", "--project", "shop").err


def test_a_campaign_of_which_too_much_comes_back_is_paused_and_status_says_why(
    aftersale: Aftersale, light_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_BREAKER__AT_LEAST", "1")
    aftersale("run", "--once")
    mails = aftersale("outbox", "--campaign", "win-back", "--status", "accepted", "--most", 1000, "--json")
    back = tmp_path / "back"
    back.mkdir()
    for mail in mails.json["mails"]:
        told = (
            report(recipient="whoever@else.example").decode().replace(key(1).message_id, mail["message_id"])
        )
        (back / f"{mail['message_id']}.eml").write_text(told)
    said = aftersale("bounces", back)
    number = len(mails.json["mails"])
    why = f"{number} of {number} mails of the last 3d came back, more than 5%"
    assert f"paused: win-back: {why}" in " ".join(said.err.split())
    shown = aftersale("status", "--json").json
    assert [(each["campaign"], each["why"]) for each in shown["paused"]] == [("win-back", why)]
    assert {"campaign": "win-back", "delivered": 0, "bounced": number, "complaints": 0} in shown["came_back"]
    aftersale("resume", "win-back")
    assert "no mail came back" in aftersale("bounces", back).err
    assert aftersale("status", "--json").json["paused"] == []
