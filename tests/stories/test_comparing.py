"""`aftersale segment --since`: who entered a rule between two instants, who left it, and why."""

from pathlib import Path
from typing import Any

import pytest

from engine.cli import segment
from tests.stories.conftest import Aftersale

HEADER = "order_id,email,at,paid,line_id,sku,quantity,unit_price,currency\n"
ORDERS = """\
1,stays@example.com,2025-12-01T10:00Z,true,1-1,starter-guide,1,7.00,USD
2,leaves@example.com,2025-06-01T10:00Z,true,2-1,starter-guide,1,7.00,USD
3,buys@example.com,2025-01-01T10:00Z,true,3-1,country-loaf,1,7.00,USD
4,buys@example.com,2026-02-20T10:00Z,true,4-1,starter-guide,1,7.00,USD
5,new@example.com,2026-02-21T10:00Z,true,5-1,starter-guide,1,7.00,USD
"""
RULE = "bought: {product: starter-guide, within: 240d}\n"
BEFORE, AFTER = "2026-01-15T00:00Z", "2026-03-01T00:00Z"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def facts(
    request: pytest.FixtureRequest, aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, light_project: Path
) -> None:
    """Four people: one whom the rule holds all the time, one who leaves, one who enters, one not known yet."""
    if request.param == "postgres":
        monkeypatch.setenv("AFTERSALE_DATABASE", request.getfixturevalue("postgres_url"))
    Path("orders.csv").write_text(HEADER + ORDERS)
    Path("rule.yaml").write_text(RULE)
    said = aftersale("import", "orders.csv")
    assert said.code == 0, said.err


def between(aftersale: Aftersale, *words: str) -> Any:
    return aftersale("segment", "--rule", "rule.yaml", "--since", BEFORE, "--at", AFTER, *words)


def test_how_many(facts: None, aftersale: Aftersale) -> None:
    assert between(aftersale).out == (
        "rule.yaml: 2 people at 2026-01-15 00:00Z, 3 at 2026-03-01 00:00Z\n2 entered, 1 left, 1 stayed\n"
    )
    told = between(aftersale, "--json").json
    assert told == {
        "rule": "rule.yaml",
        "at": "2026-03-01T00:00:00Z",
        "count": 3,
        "since": "2026-01-15T00:00:00Z",
        "before": 2,
        "entered": 2,
        "left": 1,
        "stayed": 1,
    }


def test_who_and_why(facts: None, aftersale: Aftersale) -> None:
    told = {line.split("\t")[3]: line.split("\t") for line in between(aftersale, "--ids").out.splitlines()}
    one = "1 order in that time, last"
    clause = "bought The Seven-Day Starter at most 240 days ago"
    assert {email: (row[0], row[4]) for email, row in told.items()} == {
        "leaves@example.com": (
            "left",
            f"{clause}: yes ({one} 2025-06-01 (228 days ago)) → no (0 orders in that time, last 2025-06-01 (273 days ago))",
        ),
        "buys@example.com": (
            "entered",
            f"{clause}: no (never bought) → yes ({one} 2026-02-20 (9 days ago))",
        ),
        "new@example.com": ("entered", "is known: no → yes"),
    }
    document = between(aftersale, "--ids", "--json").json["changed"]
    assert {row["email"]: row["change"] for row in document} == {e: row[0] for e, row in told.items()}
    assert [row["because"]["before"]["holds"] for row in document] == [
        r["change"] == "left" for r in document
    ]


def test_the_same_instant_twice_is_no_difference(facts: None, aftersale: Aftersale) -> None:
    same = aftersale(
        "segment", "--rule", "rule.yaml", "--since", AFTER, "--at", AFTER, "--ids", "--json"
    ).json
    assert (same["entered"], same["left"], same["stayed"], same["changed"]) == (0, 0, 3, [])


def test_the_instants_in_the_wrong_order(facts: None, aftersale: Aftersale) -> None:
    said = aftersale("segment", "--rule", "rule.yaml", "--since", AFTER, "--at", BEFORE)
    assert (said.code, said.out) == (2, "")
    assert "--since 2026-03-01 00:00Z is later than 2026-01-15 00:00Z" in said.err


def test_an_instant_that_is_none(facts: None, aftersale: Aftersale) -> None:
    said = aftersale("segment", "lapsed", "--since", "January")
    assert (said.code, "--since: 'January' is not an instant" in said.err) == (2, True)


def test_an_audience_holds_customers_only(facts: None, aftersale: Aftersale) -> None:
    told = aftersale("segment", "--campaign", "win-back", "--since", BEFORE, "--at", AFTER).out
    assert told.startswith("win-back: 1 customer at ")


def test_of_many_the_text_tells_why_of_the_first(
    facts: None, aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "TOLD", 1)
    said = between(aftersale, "--ids")
    assert [len(line.split("\t")) for line in said.out.splitlines()] == [5, 4, 4]
    assert said.err == "why is told of the first 1; --json tells it of everybody\n"
    assert all(row["because"] for row in between(aftersale, "--ids", "--json").json["changed"])
