"""campaigns/campaign.schema.json: what it takes and refuses is what the engine takes and refuses."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from engine.campaigns.load import read_campaign
from engine.campaigns.schema import campaign_schema
from engine.documents import parse_document, read_document
from engine.errors import Problems
from engine.rules.conditions.consumed import Consumed
from tests.conftest import ROOT
from tests.world import CATALOGUE

SCHEMA = Draft7Validator(json.loads((ROOT / "campaigns/campaign.schema.json").read_text(encoding="utf-8")))
BUNDLED = sorted(
    path
    for path in (ROOT / "campaigns").glob("*.yaml")
    if path.name not in ("products.yaml", "segments.yaml")
)
STEP = {"id": "first", "after": "1d", "email": {"subject": "Hello", "template": "hello.html"}}
SOUND = {"campaign": "hello", "audience": {"bought": {"product": "guide"}}, "steps": [STEP]}

ALSO_SOUND: dict[str, dict[str, Any]] = {
    "everything said": {
        "track": "back-end",
        "description": "…",
        "topic": "news",
        "offers": ["course"],
        "priority": 0,
        "holdout": "12.5%",
        "enter": {"again_after": "180d"},
        "while": {"not": {"bought": {"product": "course"}}},
        "goal": {"ordered": {}},
    },
    "a step at once": {"steps": [{**STEP, "after": 0}]},
    "on a purchase": {"on": {"bought": {"product": "guide"}}},
    "on any purchase": {"on": {"bought": {"any": True}}},
    "on a lesson": {"on": {"consumed": {"product": "guide", "unit": "c1"}}},
    "on a start": {"on": {"started": {"product": "guide"}}},
    "on a renewal": {"on": {"renews": {"product": "club", "before": "7d"}}},
    "on dates": {"on": {"date": ["2026-11-27 09:00", "2027-11-26T09:00"]}},
    "on a cron line": {"on": {"cron": "0 9 1 * *"}},
    "a step by the calendar": {"steps": [{**STEP, "after": {"local_days": 3}}]},
    "a window": {
        "steps": [{**STEP, "send": {"days": ["mon", "wed-fri"], "between": "09:00-11:00", "late": "skip"}}]
    },
    "days in a word": {"steps": [{**STEP, "send": {"days": "mon-fri", "timezone": "shop", "latest": "2d"}}]},
    "holidays": {
        "steps": [{**STEP, "send": {"skip_holidays": ["DE-BY", "AT"], "timezone": "Europe/Berlin"}}]
    },
    "holidays of their own": {"steps": [{**STEP, "send": {"skip_holidays": True}}]},
    "a step with a question": {"steps": [{**STEP, "when": {"segment": "readers"}}]},
    "a value of yes": {"audience": {"attribute": {"name": "vip", "is": True}}},
    "values that are numbers": {"audience": {"attribute": {"name": "seats", "in": [1, 2]}}},
    "a share of units": {"audience": {"consumed": {"product": "guide", "at_least": "50%"}}},
    "groups within groups": {"audience": {"all": [{"any": [{"not": {"ordered": {"at_most": 2}}}]}]}},
}
WRONG: dict[str, dict[str, Any]] = {
    "an unknown key": {"ofers": ["course"]},
    "an id with capitals and blanks": {"campaign": "Hello There"},
    "another track": {"track": "sideways"},
    "a priority out of range": {"priority": 1001},
    "a priority in words": {"priority": "high"},
    "a holdout that is no percentage": {"holdout": "10"},
    "an entry that is not known": {"enter": "sometimes"},
    "an entry without a unit": {"enter": {"again_after": "180"}},
    "no steps": {"steps": []},
    "a step without an id": {"steps": [{key: STEP[key] for key in ("after", "email")}]},
    "a step without a wait": {"steps": [{key: STEP[key] for key in ("id", "email")}]},
    "a step with an unknown key": {"steps": [{**STEP, "wehn": {"ordered": {}}}]},
    "on nothing": {"on": {}},
    "on two things": {"on": {"bought": {"product": "guide"}, "cron": "0 9 1 * *"}},
    "on what begins nothing": {"on": {"refunded": {"product": "guide"}}},
    "on a purchase some time ago": {"on": {"bought": {"product": "guide", "within": "3d"}}},
    "on any use": {"on": {"consumed": {"product": "guide"}}},
    "on a renewal at no time": {"on": {"renews": {"product": "club"}}},
    "on a day without its time": {"on": {"date": "2026-11-27"}},
    "a wait in days of no kind": {"steps": [{**STEP, "after": {"days": 3}}]},
    "a wait of less than nothing": {"steps": [{**STEP, "after": {"local_days": -1}}]},
    "a day that is none": {"steps": [{**STEP, "send": {"days": ["monday"]}}]},
    "no day": {"steps": [{**STEP, "send": {"days": []}}]},
    "hours in words": {"steps": [{**STEP, "send": {"between": "nine to five"}}]},
    "what is late in other words": {"steps": [{**STEP, "send": {"days": "mon", "late": "drop"}}]},
    "a mail without a subject": {"steps": [{**STEP, "email": {"template": "hello.html"}}]},
    "a mail with an empty subject": {"steps": [{**STEP, "email": {"subject": "", "template": "hello.html"}}]},
    "a rule of two conditions": {"audience": {"ordered": {}, "segment": "readers"}},
    "a rule that is a list": {"audience": [{"ordered": {}}]},
    "an unknown condition": {"audience": {"purchased": {"product": "guide"}}},
    "a condition of a later version": {"audience": {"score": {"at_least": 5}}},
    "an unknown word": {"audience": {"bought": {"produt": "guide"}}},
    "an unknown kind": {"audience": {"bought": {"kind": "tripwires"}}},
    "a count of none": {"audience": {"ordered": {"at_least": 0}}},
    "a count in words": {"audience": {"ordered": {"at_least": "two"}}},
    "a share without its sign": {"audience": {"consumed": {"product": "guide", "at_least": 50}}},
    "a completion that is not one": {"audience": {"consumed": {"product": "guide", "completed": False}}},
    "an attribute without a name": {"audience": {"attribute": {"is": "gold"}}},
    "a group that is empty": {"audience": {"all": []}},
    "a mistake deep within": {"goal": {"any": [{"not": {"bought": {"prodct": "guide"}}}]}},
}  # fmt: skip


def campaign_of(change: dict[str, Any]) -> dict[str, Any]:
    return {**SOUND, **change}


def read(data: dict[str, Any]) -> None:
    """Read it as the engine does. Raises Problems."""
    readers = Consumed(product="guide")
    read_campaign(
        parse_document("hello.yaml", json.dumps(data)), CATALOGUE, {"readers": readers}, Decimal(0), {}
    )


def test_the_schema_is_current() -> None:
    assert SCHEMA.schema == campaign_schema()
    Draft7Validator.check_schema(campaign_schema())


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_the_schema_takes_the_bundled_campaigns(path: Path) -> None:
    assert not [error.message for error in SCHEMA.iter_errors(read_document(path).data)]


@pytest.mark.parametrize("change", [{}, *ALSO_SOUND.values()], ids=["the least", *ALSO_SOUND])
def test_the_schema_takes_what_the_engine_takes(change: dict[str, Any]) -> None:
    read(campaign_of(change))
    assert not [error.message for error in SCHEMA.iter_errors(campaign_of(change))]


@pytest.mark.parametrize("change", WRONG.values(), ids=list(WRONG))
def test_the_schema_refuses_what_the_engine_refuses(change: dict[str, Any]) -> None:
    with pytest.raises(Problems):
        read(campaign_of(change))
    assert not SCHEMA.is_valid(campaign_of(change))


@pytest.mark.parametrize("key", sorted(SOUND))
def test_a_key_that_is_required_is_missed_by_both(key: str) -> None:
    data = {name: value for name, value in SOUND.items() if name != key}
    with pytest.raises(Problems):
        read(data)
    assert not SCHEMA.is_valid(data)
