"""The bundled campaigns, catalogue, segments and settings are sound, and say what they should."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from engine.campaigns.load import load_files
from engine.campaigns.model import Files, Step
from engine.clock import parse_duration
from engine.settings.load import load_settings
from engine.settings.model import Settings
from engine.settings.secrets import Secrets
from engine.settings.values import percent
from engine.trials.bundle import bundled

CONFIG = (bundled() / "config.example.yaml").read_text(encoding="utf-8")
CAMPAIGNS = [
    "flagship-after-guide",
    "flagship-with-guide",
    "flour-refill",
    "membership-renews",
    "stalled-learner",
    "thank-you",
    "win-back",
]


@pytest.fixture(scope="module")
def files() -> Files:
    return load_files(bundled() / "campaigns", Decimal("0.1"))


def test_nothing_is_wrong_with_the_bundled_files(files: Files) -> None:
    assert [str(problem) for problem in files.problems] == []
    assert [campaign.id for campaign in files.campaigns] == CAMPAIGNS


@pytest.mark.parametrize("campaign_id", CAMPAIGNS)
def test_a_campaign_file_is_named_after_its_campaign_and_points_editors_to_the_schema(
    campaign_id: str,
) -> None:
    text = (bundled() / "campaigns" / f"{campaign_id}.yaml").read_text(encoding="utf-8")
    first, second, *_ = text.splitlines()
    assert first == "# yaml-language-server: $schema=campaign.schema.json"
    assert second == f"campaign: {campaign_id}"


def test_every_step_has_its_template_and_every_template_its_step(files: Files) -> None:
    templates = bundled() / "templates"
    written = {path.relative_to(templates).as_posix() for path in templates.glob("*/*.html")}
    assert {step.email.template for step in all_steps(files)} == written


def test_each_campaign_has_one_to_three_mails_and_a_goal(files: Files) -> None:
    assert all(1 <= len(campaign.steps) <= 3 and campaign.goal for campaign in files.campaigns)


def test_a_later_step_leaves_the_frequency_cap_room(files: Files, tmp_path: Path) -> None:
    [cap] = example_settings(tmp_path).frequency
    later = [step for campaign in files.campaigns for step in campaign.steps[1:]]
    assert all(step.after >= cap.per for step in later)


def test_the_shop_sells_every_kind_the_demonstration_needs(files: Files) -> None:
    kinds = {product.kind for product in files.catalogue.values()}
    assert kinds >= {"tripwire", "core", "upsell", "subscription", "physical", "bundle", "digital"}
    assert len(files.catalogue["flagship"].units) == 12


def all_steps(files: Files) -> Iterator[Step]:
    for campaign in files.campaigns:
        yield from campaign.steps


# ── config.example.yaml ─────────────────────────────────────────────────────────────────────────


def example_settings(folder: Path) -> Settings:
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return load_settings(folder)


def test_the_example_settings_load(tmp_path: Path) -> None:
    settings = example_settings(tmp_path)
    assert settings.shop.name == "Slow Loaf"
    assert settings.delivery.transport == "folder"
    assert settings.shop.postal_address


def leaves(model: type[BaseModel], *path: str) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            if field.annotation is not Secrets:  # these are never written out
                yield from leaves(field.annotation, *path, name)
        elif name == "frequency":  # a list of caps, written out as a single one
            yield from ((*path, name, key) for key in ("max", "per"))
        else:
            yield (*path, name)


SETTINGS = [".".join(path) for path in leaves(Settings)]


def documented_default(setting: str) -> str:
    """What the comment on the setting's line, else the one just above it, calls its default."""
    lines, number = CONFIG.splitlines(), 0
    for depth, key in enumerate(setting.split(".")):
        here = re.compile(rf"{'  ' * depth}(- )?{key}:")
        number = next(n for n, line in enumerate(lines) if n >= number and here.match(line))
    above = [line for line in lines[max(0, number - 4) : number] if line.lstrip().startswith("#")]
    for line in (lines[number], *reversed(above)):
        if found := re.search(r"#.*[Dd]efault: ([^,;\n]+)", line):
            return found[1].strip()
    return ""


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_written_out_with_its_default(setting: str) -> None:
    expected: Any = Settings()
    for name in setting.split("."):
        expected = getattr(expected[0] if isinstance(expected, tuple) else expected, name)
    said = documented_default(setting)
    assert said == written(expected, said), f"{setting} is {expected!r} by default"


def written(value: Any, said: str) -> str:
    """A default as the comment may put it."""
    if value in (None, "", ()):
        return "none" if value is None else "empty"
    if isinstance(value, tuple):
        return f"from {value[0]} to {value[-1]}"
    if isinstance(value, Decimal):
        return percent(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return said if parse_duration(said) == value else str(value)
    return str(value)


@pytest.mark.parametrize("secret", list(Secrets.model_fields))
def test_the_variable_of_every_secret_is_told(secret: str) -> None:
    assert re.search(rf"^#     AFTERSALE_SECRETS__{secret.upper()} ", CONFIG, re.MULTILINE)


@pytest.mark.parametrize("section", [name.upper() for name in Settings.model_fields])
def test_the_environment_name_of_every_setting_is_told(section: str) -> None:
    assert re.search(rf"AFTERSALE_{section}\b|AFTERSALE_{section}__", CONFIG)


def test_the_variable_of_the_comment_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERSALE_FREQUENCY__MAX", "2")
    assert [cap.max for cap in example_settings(tmp_path).frequency] == [2]
