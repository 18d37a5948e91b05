"""A rehearsal: who is on the list."""

from pathlib import Path

import pytest

from engine.delivery.staging import on_the_list
from engine.errors import SettingsError
from engine.settings.load import load_settings
from engine.settings.running import Staging

ADDRESS = "Ann@Shop.Example"


@pytest.mark.parametrize(
    ("only", "goes"),
    [
        (None, True),
        ([], False),
        (["ann@shop.example"], True),
        (["ANN@shop.example"], True),
        (["@shop.example"], True),
        (["@SHOP.example"], True),
        (["bob@shop.example", "@other.example"], False),
        (["@example.example"], False),
        (["nn@shop.example"], False),
        (["@not-shop.example", "@shop.example.org"], False),
    ],
)
def test_an_address_or_its_whole_domain(only: list[str] | None, goes: bool) -> None:
    assert on_the_list(ADDRESS, Staging(only=only).only) is goes


SAME = ["straße.de", "xn--strae-oqa.de", "STRAẞE.de"]


@pytest.mark.parametrize("listed", SAME)
@pytest.mark.parametrize("told", SAME)
def test_a_domain_is_the_same_in_whatever_letters_it_is_written(listed: str, told: str) -> None:
    for entry in (f"@{listed}", f"Ann@{listed}"):
        assert on_the_list(f"ann@{told}", Staging(only=[entry]).only)
        assert not on_the_list("ann@strasse.de", Staging(only=[entry]).only), "that is somebody else"


@pytest.mark.parametrize("entry", ["shop.example", "ann", "@"])
def test_what_is_neither_is_a_mistake(tmp_path: Path, entry: str) -> None:
    (tmp_path / "config.yaml").write_text(f"staging: {{only: ['{entry}']}}\n")
    with pytest.raises(SettingsError, match="is not an e-mail address"):
        load_settings(tmp_path)
