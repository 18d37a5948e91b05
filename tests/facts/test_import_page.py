"""The page about importing names every column and every key, and its map is a good one."""

import re

import pytest

from engine.facts.importers import IMPORTERS
from engine.facts.mapping import MapSpec, Match, Origin
from engine.facts.staging import MOST_BUNDLED
from engine.facts.values.words import NO, YES
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
CHAPTERS = dict(re.findall(r"^## (\w[^\n]*)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


def named(text: str) -> set[str]:
    """What stands as code in the first cell of a row of a table."""
    return {
        name
        for cell in re.findall(r"^\| (.+?) \|", text, flags=re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", cell)
    }


@pytest.mark.parametrize("kind", IMPORTERS)
def test_every_column_is_told(kind):
    columns = set(IMPORTERS[kind].names) | ({"attribute.NAME"} if IMPORTERS[kind].attributes else set())
    assert named(CHAPTERS[kind.capitalize()].split("###")[0]) == columns


def test_every_key_of_a_map_is_told():
    keys = set(MapSpec.model_fields) | set(Origin.model_fields)
    assert named(CHAPTERS["Maps"].split("### Credits")[0]) == keys
    credit = CHAPTERS["Maps"].split("### Credits")[1].split("###")[0]
    for name, field in Match.model_fields.items():
        assert f"`{field.alias or name}" in credit


def test_every_word_for_yes_and_no_is_told():
    row = next(line for line in PAGE.splitlines() if line.startswith("| yes or no"))
    assert {word for pair in re.findall(r"`([^`]+)`", row) for word in pair.split()} == YES | NO


def test_its_map_works(shop):
    mapping = re.findall(r"```yaml\n(kind:.*?)```", PAGE, flags=re.DOTALL)[0]
    text = 'Nr;Mail;Datum;Artikel;Betrag;Status\n1;ann@example.com;1.2.2026 10:00;Mug;"1.234,50";offen\n'
    assert shop.take(text, mapping=mapping).inserted == 1
    assert shop.rows("orders", "amount", "paid", "source") == [(123450, False, "kiosk")]
    assert f"{MOST_BUNDLED:,} lines" in PAGE
