"""Settings that can be written in more than one way, and what is refused about them."""

from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings.load import load_settings


def caps(folder: Path, written: str) -> list[tuple[int, int, str | None]]:
    """Each cap as so many mails, in so many days, of a topic."""
    (folder / "config.yaml").write_text(written)
    return [(cap.max, cap.per.days, cap.topic) for cap in load_settings(folder).frequency]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", [(3, 7, None)]),
        ("frequency: {max: 1, per: 3d}", [(1, 3, None)]),
        ("frequency: {max: 2}", [(2, 7, None)]),
        ("frequency: []", []),
        ("frequency: [{max: 1, per: 1d}, {max: 3, per: 7d, topic: news}]", [(1, 1, None), (3, 7, "news")]),
    ],
)
def test_caps(tmp_path: Path, written: str, expected: list[tuple[int, int, str | None]]) -> None:
    assert caps(tmp_path, written) == expected


PAGE, ORDER = "{name: a, kind: page}", "{name: b, kind: order}"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("frequency: {mx: 1}", "config.yaml:1:13: unknown key 'mx' (did you mean 'max'?)"),
        ("frequency:\n  - {max: 1}\n  - {max: 0}", "config.yaml:3:6: max: input should be greater"),
        ("frequency: 3", "config.yaml:1:1: frequency: write a list"),
        ("frequency: {track: front}", "config.yaml:1:13: track: input should be 'back-end' or 'front-end'"),
        ("minimum_gap: 20", "config.yaml:1:1: minimum_gap: 20 is not a duration"),
        ("hold: {at_most: never}", "config.yaml:1:8: at_most: 'never' is not a duration"),
        ("hold: {then: wait}", "config.yaml:1:8: then: input should be 'skip' or 'exit'"),
        ("sources: {payback: 36h}", "config.yaml:1:1: sources: payback: write whole days, such as 90d"),
        ("funnel: {stages: [{name: a}]}", "config.yaml:1:19: 'kind' is missing"),
        (
            "funnel: {stages: []}",
            "config.yaml:1:1: funnel: stages: one stage is the order; pages come before",
        ),
        (f"funnel: {{stages: [{PAGE}, {ORDER}, {PAGE}]}}", "there are two stages 'a'"),
        (f"funnel: {{stages: [{ORDER}, {PAGE}]}}", "pages come before it, and only offers after it"),
        (f"funnel: {{stages: [{{name: a, kind: page, sku: x}}, {ORDER}]}}", "only an offer has a sku"),
        ("funnel: {stages: [{name: a, kind: page, target: 5}]}", "target: 5 is not a percentage"),
        ("smtp: {per_domain: {gmail: 1}}", "'gmail' is no domain of addresses; write it as gmail.com"),
        ("smtp: {per_domain: {xn--strae-oqa.de: 1, Straße.de: 2}}", "straße.de is there twice"),
        ("cool_down: 3d", "config.yaml:1:1: cool_down: write keys and values"),
    ],
)
def test_mistakes_are_told_at_their_place(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        caps(tmp_path, written)
    assert told in str(raised.value)


def test_the_single_cap_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_FREQUENCY__MAX", "2")
    assert caps(tmp_path, "frequency: {max: 5, per: 1d}") == [(2, 1, None)]
    with pytest.raises(SettingsError, match="is of a single cap"):
        caps(tmp_path, "frequency: [{max: 1, per: 1d}, {max: 3}]")


def test_a_list_of_caps_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_FREQUENCY", '[{"max": 1, "per": "1d"}, {"max": 4}]')
    assert caps(tmp_path, "frequency: [{max: 9}]") == [(1, 1, None), (4, 7, None)]


def test_topics_have_names_for_people(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("topics: {recipes: A recipe a week}")
    settings = load_settings(tmp_path)
    assert settings.topics == {"recipes": "A recipe a week"}
    assert hash(settings) == hash(load_settings(tmp_path)), "they tell memoized answers apart"
    (tmp_path / "config.yaml").write_text("topics: {recipes: ''}")
    with pytest.raises(SettingsError, match=r"config\.yaml:1:10: recipes: must not be empty"):
        load_settings(tmp_path)
