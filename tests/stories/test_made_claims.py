"""What was told to whom, and how do we know? report claims answers for every mail that left."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.cli.made_claims import in_words
from engine.clock import VirtualClock
from tests.stories.conftest import Aftersale

YOURS = """\
campaign: still-yours
audience: {bought: {product: starter-guide}}
holdout: 0%
steps:
  - id: reminder
    after: 0
    email: {subject: "{{ owned('starter-guide') }} is yours", template: win-back/focaccia.html}
"""
BODY = (
    "<p>Hello</p>{% if consumed('starter-guide') %}{{ consumed('starter-guide').units_done }}"
    "{% else %}{{ not_consumed('starter-guide').name }}{% endif %}"
)
ORDERS = "order_id,email,at,sku,quantity,unit_price\n" + "".join(
    f"o-{name},{name}@example.com,2026-02-0{day}T10:00:00Z,starter-guide,1,7.00\n"
    for name, day in (("ann", 1), ("bob", 2))
)
CONSENT = "email,topic,granted,at\n" + "".join(
    f"{name}@example.com,marketing,yes,2026-02-01T10:00:00Z\n" for name in ("ann", "bob")
)
USES = (
    "email,sku,unit,kind,at\nann@example.com,starter-guide,chapter-1,completed,2026-02-20T10:00:00Z\n"
    "ann@example.com,starter-guide,chapter-2,started,2026-02-21T10:00:00Z\n"
)


@pytest.fixture
def mailed(aftersale: Aftersale, light_project: Path, clock: VirtualClock) -> Path:
    for path in Path("campaigns").glob("*.yaml"):
        if path.name not in ("products.yaml", "segments.yaml"):
            path.unlink()
    Path("campaigns/still-yours.yaml").write_text(YOURS)
    Path("templates/win-back/focaccia.html").write_text(BODY)
    for kind, text in (("orders", ORDERS), ("consent", CONSENT), ("consumption", USES)):
        Path(f"{kind}.csv").write_text(text)
        assert aftersale("import", f"{kind}.csv", "--as", kind).code == 0
    assert aftersale("run", "--once", "--json").json["delivered"]["accepted"] == 2
    clock.advance(timedelta(days=1))
    return light_project


def test_each_claim_is_told_with_its_fact(aftersale: Aftersale, mailed: Path) -> None:
    found = aftersale("report", "claims", "--json").json
    assert found["count"] == 4
    told = {(claim["address"][:3], claim["claim"]): claim["fact"] for claim in found["claims"]}
    line = {"line": told["ann", "owned('starter-guide')"]["order_lines"][0]["line"], "quantity": 1}
    assert told["ann", "owned('starter-guide')"] == {
        "order_lines": [{"order": "o-ann", "at": "2026-02-01T10:00:00+00:00", **line}]
    }
    assert told["ann", "consumed('starter-guide')"] == {
        "consumption": [{"unit": "chapter-1", "kind": "completed", "at": "2026-02-20T10:00:00+00:00"}]
    }
    assert set(told["bob", "not_consumed('starter-guide')"]) == {"query", "asked_at"}
    assert ("bob", "consumed('starter-guide')") not in told


def test_of_one_person_or_campaign(aftersale: Aftersale, mailed: Path) -> None:
    said = aftersale("report", "claims", "ann@example.com")
    assert said.code == 0
    assert "2 of 2 claims" in said.out
    assert "bob" not in said.out
    words = " ".join(said.out.split())
    assert "of order o-ann 2026-02-01" in words
    assert "chapter-1 completed 2026-02-20" in words
    both = aftersale("report", "claims", "--campaign", "still-yours", "--json").json
    assert both["count"] == 4
    assert aftersale("report", "claims", "nobody@example.com").code == 12
    unknown = aftersale("report", "claims", "--campaign", "stil-yours")
    assert (unknown.code, "did you mean 'still-yours'?" in unknown.err) == (11, True)


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (
            {"order_lines": [{"order": "o1", "line": "mug#1", "at": "2026-02-01T10:00", "quantity": 2}]},
            "2 x mug#1 of order o1 2026-02-01",
        ),
        (
            {
                "order_lines": [],
                "subscriptions": [
                    {
                        "subscription": "s1",
                        "status": "active",
                        "began": "2026-01-05T",
                        "renews_at": "2026-04-05T",
                    }
                ],
            },
            "subscription s1 active since 2026-01-05, renews 2026-04-05",
        ),
        (
            {
                "consumption": [
                    {"unit": unit, "kind": "completed", "at": "2026-02-01T"} for unit in ("", *"abcd")
                ]
            },
            "all completed 2026-02-01, a completed 2026-02-01, b completed 2026-02-01, and 2 more",
        ),
        ({"query": "not: used it", "asked_at": "2026-02-01T10:00"}, "not: used it (asked 2026-02-01)"),
    ],
)
def test_facts_in_words(fact: dict[str, Any], words: str) -> None:
    assert in_words(fact) == words


def test_the_rest_is_counted_and_nothing_is_told_before_it_left(aftersale: Aftersale, mailed: Path) -> None:
    said = aftersale("report", "claims", "--most", 3)
    assert "3 of 4 claims" in said.out
    assert "1 more: --most 4" in said.out
    assert aftersale("report", "claims", "--at", "2026-01-01T00:00Z", "--json").json["count"] == 0
