"""A mail that cannot be written: it waits, and whoever looks is told why and until when."""

from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import VirtualClock
from tests.stories.conftest import Aftersale

CAMPAIGN = """\
campaign: broken
priority: 99
holdout: 0%
audience: {ordered: {at_least: 1}}
steps:
  - {id: a, after: 0, email: {subject: Hello, template: broken.html}}
"""


@pytest.fixture
def stuck(aftersale: Aftersale, light_shop: Path) -> Path:
    """A template that fails for some customers only, which no check can know."""
    Path("campaigns/broken.yaml").write_text(CAMPAIGN)
    Path("templates/broken.html").write_text("<p>{{ 1 // (customer.first_name|length - 4) }}</p>")
    return light_shop


def test_run_and_status_tell_what_waits_and_why(aftersale: Aftersale, stuck: Path) -> None:
    ran = aftersale("run", "--once")
    assert "postponed" in ran.out
    for said in (ran, aftersale("status")):
        assert "render_failed: broken.html:1" in said.out
        assert "tried again" in said.out
        assert "2026-03-10 09:01Z" in said.out, "a minute after the first attempt"


def test_status_tells_it_as_json_too(aftersale: Aftersale, stuck: Path) -> None:
    aftersale("run", "--once")
    [first, *_] = aftersale("status", "--json").json["troubles"]
    assert first["status"] == "scheduled"
    assert first["again_at"] is not None


def test_explain_tells_what_preview_tells(aftersale: Aftersale, stuck: Path) -> None:
    [first, *_] = aftersale("preview", "broken", "--json").json["unwritable"]
    line = f"cannot be written: broken a, customer {first['customer_id']}: {first['message']}"
    assert line in " ".join(aftersale("preview", "broken").out.split())
    told = aftersale("explain", first["customer_id"], "broken", "--json").json["campaigns"][0]
    assert told["unwritable"] == {"reason": "render_failed", "message": first["message"]}
    assert told["summary"] == f"cannot be mailed now at the step 'a': {first['message']}"
    mailed = aftersale("preview", "broken", "--json").json["mails"][0]
    told = aftersale("explain", mailed["customer_id"], "broken", "--json").json["campaigns"][0]
    assert (told["unwritable"], told["summary"][:13]) == (None, "is mailed now")


def test_who_is_to_be_mailed_again_is_not_through(
    aftersale: Aftersale, stuck: Path, clock: VirtualClock
) -> None:
    aftersale("run", "--once")
    clock.advance(timedelta(minutes=2))
    seen = aftersale("preview", "broken", "--json", "--days", 0).json
    assert {count["reason"] for count in seen["counts"]} == {"due", "been_through"}
    assert sum(count["people"] for count in seen["counts"]) == seen["audiences"]["broken"]
