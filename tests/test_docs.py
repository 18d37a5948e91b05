"""The reference says what the code does, and says all of it."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.main import get_command

from engine.campaigns.form import LATER_KEYS, CampaignForm, CoolDownForm, EmailForm, HoldForm, StepForm
from engine.campaigns.load import load_files
from engine.campaigns.waits import SendForm
from engine.cli.group import COMMANDS, app, load
from engine.delivery.states import Status
from engine.delivery.transports import TRANSPORTS
from engine.errors import AftersaleError
from engine.facts.catalogue import Product
from engine.planning.policies import CONTESTS, LIMITS, POLICIES
from engine.planning.reasons import Reason
from engine.rendering.context import ATTRIBUTES, NAMES, RESULTS
from engine.rendering.environment import FORBIDDEN_FILTERS
from engine.rendering.filters import filters
from engine.rendering.mail import WhyNot
from engine.rendering.studio import Studio
from engine.rules.conditions import CONDITIONS, LATER
from engine.rules.parse import GROUPS
from engine.settings.model import Settings
from engine.settings.values import Part
from tests.conftest import ROOT
from tests.world import CATALOGUE

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"


def said(page: str) -> str:
    return (REFERENCE / page).read_text(encoding="utf-8")


# ── the pages are current ───────────────────────────────────────────────────────────────────────


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "docs" / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of all that the reference is written from and into, but for the engine itself."""
    for part in ("docs", "campaigns", "tests/cases"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


def test_the_generated_pages_are_current() -> None:
    checked = generate(ROOT, "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_page_that_is_not_current_is_told_and_left_alone(copied: Path) -> None:
    generate(copied)
    page = copied / "docs/reference/settings.md"
    page.write_text(page.read_text().replace("AFTERSALE_HOLDOUT", "AFTERSALE_HOLDUP"))
    checked = generate(copied, "--check")
    assert checked.returncode == 1
    assert checked.stdout == "not current: docs/reference/settings.md\n"
    assert "AFTERSALE_HOLDUP" in page.read_text()


def test_writing_brings_back_what_is_missing_and_removes_what_nothing_stands_behind(copied: Path) -> None:
    reference = copied / "docs/reference"
    (reference / "errors.md").unlink()
    (reference / "conditions/bought.md").rename(reference / "conditions/purchased.md")
    assert generate(copied).returncode == 0
    assert not (reference / "conditions/purchased.md").exists()
    assert generate(copied, "--check").returncode == 0
    assert (reference / "templates.md").read_text() == said("templates.md")


# ── the pages are complete ──────────────────────────────────────────────────────────────────────


def parameters() -> Iterator[tuple[str, str]]:
    for name in COMMANDS:
        for parameter in load(name).params:
            shown = (
                [parameter.metavar or parameter.name.upper()] if _is_argument(parameter) else parameter.opts
            )
            yield from ((name, word) for word in shown if word != "--help")


def _is_argument(parameter: Any) -> bool:
    return not parameter.opts[0].startswith("-")


@pytest.mark.parametrize(("command", "word"), list(parameters()))
def test_every_option_and_argument_is_told_with_its_command(command: str, word: str) -> None:
    section = said("commands.md").split(f"\n## {command}\n")[1].split("\n## ")[0]
    assert re.search(rf"^\| `{re.escape(word)}(`| |\.)", section, re.MULTILINE)


def test_every_command_is_told_and_so_is_the_version() -> None:
    assert re.findall(r"^## (.*)$", said("commands.md"), re.MULTILINE) == list(COMMANDS)
    of_all = [name for parameter in get_command(app).params for name in parameter.opts if name != "--help"]
    assert of_all
    assert not [name for name in of_all if f"`aftersale {name}`" not in said("commands.md")]


def settings_by_name() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Part):
            yield from (f"{name}.{inner}" for inner in kind.model_fields)
        else:
            yield name


@pytest.mark.parametrize("name", list(settings_by_name()))
def test_every_setting_is_told_with_its_meaning_and_variable(name: str) -> None:
    row = next(line for line in said("settings.md").splitlines() if line.startswith(f"| `{name}` |"))
    assert row.endswith(f"| `AFTERSALE_{name.replace('.', '__').upper()}` |")
    assert "|  |" not in row


def words_of_files() -> Iterator[tuple[str, str]]:
    for form in (CampaignForm, StepForm, SendForm, EmailForm, HoldForm, CoolDownForm):
        yield from (("campaign.md", field.alias or name) for name, field in form.model_fields.items())
    yield from (("campaign.md", path[-1]) for path in LATER_KEYS)
    yield from (("products.md", name) for name in Product.model_fields if name != "sku")
    yield from (("conditions.md", key) for key in (*CONDITIONS, *GROUPS, *LATER))
    for key, kind in CONDITIONS.items():
        words = [name.rstrip("_") for name, field in kind.model_fields.items() if not field.exclude]
        yield from ((f"conditions/{key}.md", word) for word in words if key != "segment")


@pytest.mark.parametrize(("page", "word"), sorted(set(words_of_files())))
def test_every_word_of_a_file_is_told(page: str, word: str) -> None:
    assert f"`{word}`" in said(page)


@pytest.mark.parametrize("page", ["campaign.md", *(f"conditions/{key}.md" for key in CONDITIONS)])
def test_every_word_has_a_meaning(page: str) -> None:
    rows = [line for line in said(page).splitlines() if line.startswith("| `")]
    assert not [row for row in rows if row.endswith("|  |")]


@pytest.mark.parametrize(
    "word", [*Reason, *Status, *get_args(WhyNot), *(policy.reason for policy in POLICIES)]
)
def test_every_reason_and_state_is_told(word: str) -> None:
    assert f"| `{word}` |" in said("reasons.md")


def test_reasons_stand_in_the_order_in_which_policies_are_asked() -> None:
    told = re.findall(r"^\| `(\w+)` \| (?:send|skip|hold) \|", said("reasons.md"), re.MULTILINE)
    asked = [each.reason.value for each in (*POLICIES, *CONTESTS, *LIMITS)]
    assert [reason for reason in told if reason in asked] == asked
    assert re.findall(r"^\| `(\w+)` \| (?:skip|hold) \|", said("policies.md"), re.MULTILINE) == asked


@pytest.mark.parametrize("name", list(TRANSPORTS))
def test_every_transport_is_told(name: str) -> None:
    assert f"`{name}`" in said("settings.md")


def names_in_templates() -> set[str]:
    known = {*ATTRIBUTES, *RESULTS}
    inner = {word for words in (*ATTRIBUTES.values(), *RESULTS.values()) for word in words}
    return set(NAMES - known) | inner | {*filters(Settings()), *FORBIDDEN_FILTERS}


@pytest.mark.parametrize("word", sorted(names_in_templates()))
def test_every_name_in_templates_is_told(word: str) -> None:
    assert re.search(rf"`{word}`|\.{word}\(", said("templates.md"))


@pytest.mark.parametrize("name", sorted({*ATTRIBUTES, *RESULTS}))
def test_every_function_and_object_in_templates_is_told(name: str) -> None:
    assert re.search(rf"^\|.*`{name}(`|\()", said("templates.md"), re.MULTILINE)


def test_the_index_names_every_page() -> None:
    pages = {path.name for path in REFERENCE.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\((\w+\.md)\)", said("README.md"))) == pages


def test_the_shop_of_the_cases_is_told_as_it_is() -> None:
    for product in CATALOGUE.values():
        units = ", ".join(f"`{unit}`" for unit in product.units)
        cells = (f"`{product.sku}`", product.kind, product.category, ", ".join(product.tags), units)
        assert "| " + " | ".join(cells) + " |" in re.sub(r"\| (?=\|)", "|  ", said("conditions.md"))


# ── exit codes ──────────────────────────────────────────────────────────────────────────────────


def errors(kind: type[AftersaleError] = AftersaleError) -> Iterator[type[AftersaleError]]:
    for below in kind.__subclasses__():
        if below.__module__.startswith("engine."):
            yield below
            yield from errors(below)


@pytest.mark.parametrize("kind", list(errors()), ids=lambda kind: kind.__name__)
def test_every_error_is_told_with_its_exit_code(kind: type[AftersaleError]) -> None:
    assert f"| {kind.exit_code} | `{kind.__name__}` | {kind.__doc__} |" in said("errors.md")


def test_no_two_errors_share_an_exit_code() -> None:
    assert max(Counter(kind.exit_code for kind in errors()).values()) == 1


# ── examples and links ──────────────────────────────────────────────────────────────────────────

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])


def anchors(path: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in LINK.findall(text):
        place, _, anchor = link.partition("#")
        target = page.parent / place if place else page
        if "://" in link or place.startswith("mailto:"):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not list(broken(page))


def test_the_examples_of_templates_are_sound(tmp_path: Path) -> None:
    """Each is a mail of the bundled shop, and nothing is wrong with it."""
    for part in ("templates", "campaigns"):
        shutil.copytree(ROOT / part, tmp_path / part)
    examples = re.findall(r"^```html\+jinja\n(.*?)^```", said("templates.md"), re.MULTILINE | re.DOTALL)
    names = [f"{n}.{'mjml' if text.startswith('<mjml') else 'html'}" for n, text in enumerate(examples)]
    steps = [
        {"id": f"s{n}", "after": 0, "email": {"subject": "Hello", "template": name}}
        for n, name in enumerate(names)
    ]
    for name, example in zip(names, examples, strict=True):
        (tmp_path / "templates" / name).write_text(example, encoding="utf-8")
    guide = {"bought": {"product": "starter-guide"}}
    campaign = {"campaign": "examples", "audience": guide, "steps": steps}
    (tmp_path / "campaigns" / "examples.yaml").write_text(json.dumps(campaign), encoding="utf-8")
    files = load_files(tmp_path / "campaigns", Decimal(0))
    assert len(examples) >= 3
    assert any(name.endswith(".mjml") for name in names)
    assert not files.problems
    assert Studio(tmp_path / "templates", files, Settings()).problems() == {}
