"""The whole way once more, on PostgreSQL."""

from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import VirtualClock
from engine.trials.demo_shop import FILES
from tests.stories.conftest import Aftersale


@pytest.fixture
def on_postgresql(
    monkeypatch: pytest.MonkeyPatch, postgres_url: str, aftersale: Aftersale, shop: Path
) -> None:
    """The shop's project, and its files imported once more, into PostgreSQL."""
    monkeypatch.setenv("AFTERSALE_DATABASE", postgres_url)
    said = aftersale("import", *(f"data/{name}" for name in FILES))
    assert said.code == 0, said.err
    Path("aftersale.db").unlink()


@pytest.mark.postgres
def test_every_reading_command_and_a_run(
    on_postgresql: None, aftersale: Aftersale, clock: VirtualClock
) -> None:
    assert aftersale("preview", "--days", 3).code == 0
    assert aftersale("preview", "--html", "pages", "--days", 1).code == 0
    assert aftersale("preview", "--customer", "ann@example.com", "--json").json["timeline"]
    assert aftersale("segment", "lapsed", "--ids").out
    assert aftersale("explain", "ann@example.com").code == 0
    for _ in range(2):
        listed = aftersale("preview", "--json", "--days", 3).json
        ran = aftersale("run", "--once", "--json").json
        assert ran["delivered"]["accepted"] == len(listed["mails"]) > 0
        assert [count for count in listed["counts"] if count["verdict"] != "none"] == ran["decided"]
        clock.advance(timedelta(days=4))
    assert "accepted" in aftersale("status").out
