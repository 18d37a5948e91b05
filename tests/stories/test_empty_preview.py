"""A preview of nothing is one plain sentence, not tables without rows."""

from pathlib import Path

import pytest

from tests.databases import migrated
from tests.stories.conftest import Aftersale


@pytest.fixture
def nobody(light_project: Path) -> Path:
    """A database in which nobody is known."""
    migrated("sqlite:///aftersale.db")
    return light_project


NOBODY = "Nobody is in a campaign, or in the audience of one, and no mail falls due in the next 7 days."


def test_nobody_is_in(aftersale: Aftersale, nobody: Path) -> None:
    said = aftersale("preview", "--html", "pages")
    assert said.code == 0
    page = Path("pages/index.html").read_text()
    assert NOBODY in page
    assert "<table" not in page
    first, *others = aftersale("preview").out.splitlines()
    assert first.startswith("At 2026-03-10")
    assert " ".join(others) == NOBODY


def test_no_campaign_can_be_run(aftersale: Aftersale, nobody: Path) -> None:
    for file in Path("campaigns").glob("*-*.yaml"):
        file.write_text("campaign: 1\n")
    Path("campaigns/flagship.yaml").unlink(missing_ok=True)
    said = aftersale("preview")
    assert (said.code, said.out.splitlines()[1:]) == (1, ["No campaign can be run."])
    aftersale("preview", "--html", "pages")
    page = Path("pages/index.html").read_text()
    assert "<p>No campaign can be run.</p>" in page
    assert "<table" not in page


@pytest.mark.parametrize(
    ("after", "told"), [("9d", "No mail falls due in the next 7 days."), ("0", "Mails of the next 7 days")]
)
def test_somebody_is_in_and_nothing_is_due(
    aftersale: Aftersale, light_shop: Path, after: str, told: str
) -> None:
    for file in Path("campaigns").glob("*-*.yaml"):
        file.unlink()
    Path("campaigns/late.yaml").write_text(
        f"campaign: late\naudience: {{bought: {{product: starter-guide}}}}\n"
        f"steps: [{{id: a, after: {after}, email: {{subject: Hello, template: win-back/focaccia.html}}}}]\n"
    )
    said = aftersale("preview", "late")
    assert told in said.out
    assert "day         campaign" not in said.out or after == "0"
    aftersale("preview", "late", "--html", "pages")
    assert (told in Path("pages/index.html").read_text()) == (after == "9d")


def test_nothing_for_one_customer(aftersale: Aftersale, light_shop: Path) -> None:
    Path("one.csv").write_text("email,known_at\nnew@example.com,2026-03-01T00:00Z\n")
    assert aftersale("import", "one.csv").code == 0
    said = aftersale("preview", "--customer", "new@example.com")
    assert said.out == "No step of any campaign falls due. Ask why: aftersale explain new@example.com\n"
