"""Mails that came back, by command."""

from pathlib import Path

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
