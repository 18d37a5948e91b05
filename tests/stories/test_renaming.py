"""A campaign or a step by another name: the same to the store, the new name to people."""

from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from tests.planning.harness import DAY
from tests.stories.conftest import Aftersale

MAIL = "email: {subject: Hello, template: win-back/focaccia.html}"


def text(name: str, *more: str, step: str = "id: a") -> str:
    return "\n".join(
        [
            f"campaign: {name}",
            *more,
            "holdout: 20%",
            "audience: {bought: {product: starter-guide}}",
            f"steps: [{{{step}, after: 0, {MAIL}}}, {{id: b, after: 1d, {MAIL}}}]",
        ]
    )


def write(**files: str) -> None:
    for name, written in files.items():
        (Path("campaigns") / f"{name}.yaml").write_text(written)


MISTAKES: dict[str, tuple[dict[str, str], list[str]]] = {
    "the campaign itself": (
        {"x": text("one", "was: one")},
        ["campaigns/x.yaml:2:1: was: names the campaign itself"],
    ),
    "another file's id": (
        {"x": text("one"), "y": text("two", "was: one")},
        ["campaigns/y.yaml:2:1: 'one' is also the id of campaigns/x.yaml"],
    ),
    "another file's id, whichever comes first": (
        {"x": text("two", "was: one"), "y": text("one")},
        ["campaigns/y.yaml:1:1: 'one' is also the id of campaigns/x.yaml"],
    ),
    "two of one": (
        {"x": text("one", "was: old"), "y": text("two", "was: old")},
        ["campaigns/y.yaml:2:1: 'old' is also the id of campaigns/x.yaml"],
    ),
    "two by one name": (
        {"x": text("one", "was: old"), "y": text("one", "was: older")},
        ["campaigns/y.yaml:1:1: 'one' is also what campaigns/x.yaml is called"],
    ),
    "a chain": (
        {"x": text("one", "was: old"), "y": text("two", "was: one")},
        ["campaigns/y.yaml:2:1: 'one' is what campaigns/x.yaml is called, which was 'old' (name the id"],
    ),
    "no id": ({"x": text("one", "was: Old One")}, ["campaigns/x.yaml:2:1: was: 'Old One' is not an id"]),
    "the step itself": (
        {"x": text("one", step="id: a, was: a")},
        ["campaigns/x.yaml:4:17: was: names the step itself"],
    ),
    "another step": ({"x": text("one", step="id: a, was: b")}, ["'b' is the id of another step"]),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_what_it_cannot_have_been(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mistake: str
) -> None:
    assert aftersale("init", "shop").code == 0
    monkeypatch.chdir(tmp_path / "shop")
    files, expected = MISTAKES[mistake]
    write(**files)
    said = aftersale("check")
    assert said.code == 1
    found = said.err.splitlines()
    assert len(found) == len(expected), found
    assert all(words in line for words, line in zip(expected, found, strict=True)), found


def test_a_renamed_campaign_goes_on(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, shop: Path, clock: VirtualClock
) -> None:
    monkeypatch.setenv("AFTERSALE_FREQUENCY__MAX", "99")
    write(old=text("old"))
    before = _of(aftersale("run", "--once", "--json").json, "old")
    assert before["a", "due"] > before["a", "held_out"] > 0
    Path("campaigns/old.yaml").unlink()
    write(new=text("new", "was: old", step="id: first, was: a"))
    write(
        asks=text("asks").replace(
            "bought: {product: starter-guide}", "received: {campaign: new, step: first}"
        )
    )
    assert aftersale("check").code == 0
    clock.advance(DAY)
    page = aftersale("preview", "--html", "pages", "--days", 1)
    assert page.code == 0
    foreseen = aftersale("preview", "new", "--json", "--days", 0).json
    assert {count["campaign"] for count in foreseen["counts"]} == {"new"}
    assert {mail["campaign"] for mail in foreseen["mails"]} == {"new"}
    assert aftersale("preview", "old", "--json", "--days", 0).json["counts"] == foreseen["counts"]
    assert foreseen["entering"].get("new", 0) <= 5, "those whom this day made customers, and nobody again"
    ran = aftersale("run", "--once", "--json").json
    again = _of(ran, "new")
    assert (again["b", "due"], again["b", "held_out"]) == (before["a", "due"], before["a", "held_out"])
    assert _of(ran, "asks")["a", "due"] + _of(ran, "asks")["a", "held_out"] == before["a", "due"]
    mails = {row["campaign"]: row["mails"] for row in aftersale("status", "--json").json["mails"]}
    assert "old" not in mails
    who = next(mail["customer_id"] for mail in foreseen["mails"] if mail["step"] == "b")
    told = aftersale("explain", who, "new", "--json").json["campaigns"][0]
    assert told["campaign"] == "new"
    assert [decision["step_id"] for decision in told["decisions"]] == ["first", "b"]
    first, second = told["messages"]
    assert (first["version_since"], second["version_since"]) == (
        "2026-03-10T09:00:00Z",
        "2026-03-11T09:00:00Z",
    )
    assert "in force since" in aftersale("explain", who, "new").out


def _of(document: Any, campaign: str) -> dict[tuple[str, str], int]:
    return {
        (count["step"], count["reason"]): count["people"]
        for count in document["decided"]
        if count["campaign"] == campaign
    }
