"""What proves a claim: an audience for what lasts, `while` and `when` for what is so now, or a guard."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from engine.campaigns.load import read_campaign
from engine.campaigns.model import Files
from engine.documents import parse_document
from engine.errors import Problem
from engine.rendering.studio import Studio
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import Consumed
from engine.rules.model import All, AnyOf, Rule
from tests.rendering.press import CATALOGUE, SETTINGS, write_templates

SEGMENTS: dict[str, Rule] = {
    "readers": All((Bought(product="guide"), Consumed(product="guide", at_least="50%"))),
    "anybody": AnyOf((Bought(product="guide"), Bought(product="mug"))),
}
GUIDE = "bought: {product: guide}"


def campaign(rules: str, **email: str) -> str:
    """A campaign of one mail; `rules` are lines of YAML, those of the step begin with `when`."""
    lines = [line.strip() for line in rules.strip().splitlines()]
    asked = [line for line in lines if line.startswith("when:")]
    words = YAML(typ="safe", pure=True)
    whole = {"campaign": "c", "steps": [{"id": "one", "after": 0, "email": {"subject": "Hello", **email}}]}
    whole |= words.load("\n".join(line for line in lines if line not in asked)) or {}
    whole["steps"][0] |= words.load("\n".join(asked)) or {}
    whole["steps"][0]["email"]["template"] = "a.html"
    return written(whole)


def written(whole: dict[str, Any]) -> str:
    text = StringIO()
    YAML().dump(whole, text)
    return text.getvalue()


def problems(folder: Path, text: str, body: str = "<p>Hello</p>", **more: str) -> list[Problem]:
    names = {"c": ["one"]}
    read = read_campaign(parse_document("campaigns/c.yaml", text), CATALOGUE, SEGMENTS, Decimal(0), names)
    templates = write_templates(folder, {"a.html": body, **more})
    return Studio(templates, Files(CATALOGUE, SEGMENTS, [read]), SETTINGS).problems().get("c", [])


# correct copy, which is not to be bothered: what it is, the rules, and what the mail says
CORRECT = [
    ("owns what the audience bought", f"audience: {{{GUIDE}}}", "{{ owned('guide') }}"),
    ("though the purchase had to be fresh at entry", "audience: {bought: {product: guide, older_than: 3d, within: 60d}}", "{{ owned('guide').bought_at | date }}"),
    ("an old purchase grows older", "audience: {bought: {product: guide, older_than: 30d}}", "{{ owned('guide', older_than='10d') }}"),
    ("since a day that stays the same", "audience: {bought: {product: guide, since: '2026-02-01T00:00Z'}}", "{{ owned('guide', since='2026-01-01T00:00Z') }}"),
    ("one of several things asked for", f"audience: {{all: [{{{GUIDE}}}, {{not: {{bought: {{product: course}}}}}}]}}", "{{ owned('guide') }}"),
    ("either of two, each of which proves it", "audience: {any: [{bought: {product: guide, at_least: 2}}, {all: [{bought: {product: guide}}, {spent: {at_least: 90}}]}]}", "{{ owned('guide') }}"),
    ("more orders than are spoken of", "audience: {bought: {product: mug, at_least: 3}}", "{{ owned('mug', at_least=2) }}"),
    ("more pieces than are spoken of", "audience: {bought: {product: mug, quantity: {at_least: 6}}}", "{{ owned('mug', quantity={'at_least': 4}).quantity }}"),
    ("added at the checkout", "audience: {bought: {product: mug, position: bump}}", "{{ owned('mug') }}{{ owned('mug', position='bump') }}"),
    ("a category with a single product in it", "audience: {bought: {category: learn}}", "{{ owned('course') }}"),
    ("bought one, then the other", "audience: {then: {first: {bought: {product: guide}}, next: {bought: {product: course}}, within: 30d}}", "{{ owned('guide') }}{{ owned('course') }}"),
    ("what begins the run", "audience: {spent: {at_least: 5}}\non: {bought: {product: mug}}", "{{ owned('mug') }}"),
    ("a unit that begins the run", "audience: {spent: {at_least: 5}}\non: {consumed: {product: course, unit: l3}}", "{{ consumed('course', unit='l3').unit }}"),
    ("used half, some of it is used", "audience: {consumed: {product: guide, at_least: 50%}}", "{{ consumed('guide').units_done }}"),
    ("two of three units are more than half", "audience: {consumed: {product: guide, at_least: 67%}}", "{{ consumed('guide', at_least='50%').share }}"),
    ("a unit is use, and the last one", "audience: {consumed: {product: course, unit: l3, within: 7d}}", "{{ consumed('course', unit='l3').unit }}{{ consumed('course').last_unit }}"),
    ("a segment, by what it stands for", "audience: {segment: readers}", "{{ owned('guide') }}{{ consumed('guide').share }}"),
    ("no one who is in neither", "audience: {not: {any: [{not: {segment: readers}}, {bought: {product: course}}]}}", "{{ owned('guide') }}"),
    ("a time limit that is asked again", f"audience: {{{GUIDE}}}\nwhile: {{consumed: {{product: guide, within: 7d}}}}", "{{ consumed('guide', within='14d').last_at | date }}"),
    ("a subscription that is asked again", "audience: {subscribed: {product: club}}\nwhile: {subscribed: {product: club, renews_within: 7d}}", "{{ owned('club') }}"),
    ("not used, which the step asks", f"audience: {{{GUIDE}}}\nwhen: {{not: {{consumed: {{product: guide}}}}}}", "{{ not_consumed('guide') }}{{ not_consumed('guide', unit='c2') }}"),
    ("nor even begun", f"audience: {{{GUIDE}}}\nwhile: {{not: {{started: {{product: course}}}}}}", "{{ not_consumed('course', at_least='50%') }}"),
    ("what only some used, where they are asked", f"audience: {{{GUIDE}}}", "{{ owned('guide') }}{% if consumed('guide') %}{{ consumed('guide').share }}{% else %}Open {{ not_consumed('guide') }}.{% endif %}"),
    ("an exact number, as the rule says it", "audience: {bought: {product: mug}}\nwhen: {bought: {product: mug, at_least: 2, at_most: 3}}", "{{ owned('mug', at_least=2, at_most=3) }}"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rules", "body"), CORRECT, ids=[case[0] for case in CORRECT])
def test_correct_copy_is_left_alone(what: str, rules: str, body: str, tmp_path: Path) -> None:
    said = re.sub("<[^>]*>", "", body)
    for text, page in ((campaign(rules), body), (campaign(rules, subject=f"Yours: {said}"), "<p>Hello</p>")):
        assert problems(tmp_path, text, page) == []


ONLY_AT_ENTRY = "the audience proves it at entry only"
NO_RULE = "no rule of the campaign proves it"

# copy that is not proven: the rules, what the mail says, why that may be wrong, and the rule to write
WRONG = [
    ("another product", f"audience: {{{GUIDE}}}", "owned('mug')", NO_RULE, "audience: {all: [{bought: {product: guide}}, {bought: {product: mug}}]}"),
    ("one of two", "audience: {segment: anybody}", "owned('guide')", NO_RULE, "audience: {all: [{segment: anybody}, {bought: {product: guide}}]}"),
    ("who has not", f"audience: {{not: {{{GUIDE}}}}}", "owned('guide')", NO_RULE, "audience: {all: [{not: {bought: {product: guide}}}, {bought: {product: guide}}]}"),
    ("at most is none, too", "audience: {bought: {product: guide, at_most: 3}}", "owned('guide')", NO_RULE, "audience: {all: [{bought: {product: guide, at_most: 3}}, {bought: {product: guide}}]}"),
    ("not at most twice", "audience: {not: {bought: {product: guide, at_most: 2}}}", "owned('guide', at_least=4)", NO_RULE, "audience: {all: [{not: {bought: {product: guide, at_most: 2}}}, {bought: {product: guide, at_least: 4}}]}"),
    ("bought is not used", f"audience: {{{GUIDE}}}", "consumed('guide')", NO_RULE, "audience: {all: [{bought: {product: guide}}, {consumed: {product: guide}}]}"),
    ("used is not bought", "audience: {consumed: {product: guide}}", "owned('guide')", NO_RULE, "audience: {all: [{consumed: {product: guide}}, {bought: {product: guide}}]}"),
    ("begun is not used", "audience: {started: {product: guide}}", "consumed('guide')", NO_RULE, "audience: {all: [{started: {product: guide}}, {consumed: {product: guide}}]}"),
    ("less than is said", "audience: {consumed: {product: guide, at_least: 50%}}", "consumed('guide', completed=True)", NO_RULE, "audience: {all: [{consumed: {product: guide, at_least: 50%}}, {consumed: {product: guide, completed: true}}]}"),
    ("one more in a list", f"audience: {{all: [{{{GUIDE}}}, {{spent: {{at_least: 5}}}}]}}", "owned('mug')", NO_RULE, "audience: {all: [{bought: {product: guide}}, {spent: {at_least: 5}}, {bought: {product: mug}}]}"),
    ("a category with two products in it", "audience: {bought: {tag: gift}}", "owned('mug')", NO_RULE, "audience: {all: [{bought: {tag: gift}}, {bought: {product: mug}}]}"),
    ("a time limit may run out", "audience: {bought: {product: guide, within: 30d}}", "owned('guide', within='30d')", ONLY_AT_ENTRY, "when: {bought: {product: guide, within: 30d}}"),
    ("a use grows old", "audience: {consumed: {product: guide, within: 30d}}", "consumed('guide', within='90d')", ONLY_AT_ENTRY, "when: {consumed: {product: guide, within: 90d}}"),
    ("a subscription may end", "audience: {subscribed: {product: club}}", "owned('club')", ONLY_AT_ENTRY, "when: {subscribed: {product: club}}"),
    ("a subscription that was bought may be over", "audience: {bought: {product: club}}", "owned('club')", NO_RULE, "when: {subscribed: {product: club}}"),
    ("what is not used may be used", "audience: {not: {consumed: {product: guide}}}", "not_consumed('guide')", ONLY_AT_ENTRY, "when: {not: {consumed: {product: guide}}}"),
    ("the step asks something else", f"audience: {{{GUIDE}}}\nwhen: {{not: {{clicked: {{campaign: c}}}}}}", "not_consumed('guide')", NO_RULE, "when: {all: [{not: {clicked: {campaign: c}}}, {not: {consumed: {product: guide}}}]}"),
    ("whoever used half has not used all", f"audience: {{{GUIDE}}}\nwhen: {{not: {{consumed: {{product: guide, completed: true}}}}}}", "not_consumed('guide')", NO_RULE, "when: {all: [{not: {consumed: {product: guide, completed: true}}}, {not: {consumed: {product: guide}}}]}"),
    ("the goal proves nothing", f"audience: {{not: {{{GUIDE}}}}}\ngoal: {{{GUIDE}}}", "owned('guide')", NO_RULE, "audience: {all: [{not: {bought: {product: guide}}}, {bought: {product: guide}}]}"),
    ("some use, but of no unit by name", "audience: {consumed: {product: guide, at_least: 50%}}", "consumed('guide').last_unit", NO_RULE, None),
    ("a subscription bought lately", "audience: {bought: {product: club}}", "owned('club', within='90d')", NO_RULE, None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rules", "claim", "why", "rule"), WRONG, ids=[case[0] for case in WRONG])
def test_an_unproven_claim_is_told_with_what_to_write(
    what: str, rules: str, claim: str, why: str, rule: str | None, tmp_path: Path
) -> None:
    [found] = problems(tmp_path, campaign(rules), f"<p>one</p>\n<p>{{{{ {claim} }}}}</p>")
    assert (found.file.endswith("a.html"), found.line, found.column) == (True, 2, 7)
    assert found.message.startswith(f"{claim} is said to everybody, and {why}")
    assert pasted_rule(found) == rule
    for mended, page in remedies(found, campaign(rules), claim):
        assert problems(tmp_path, mended, page) == []


def pasted_rule(found: Problem) -> str | None:
    told = re.search(r", or write into (?:the step one of )?campaigns/c\.yaml: (.*)$", found.hint or "")
    return told[1] if told else None


def remedies(found: Problem, text: str, claim: str) -> Iterator[tuple[str, str]]:
    """The hint taken at its word: the guard around what was said, and the rule in the file's own words."""
    guard = re.match(r"guard it: (\{%.*?%\})…(\{% endif %\})", found.hint or "")
    assert guard
    yield text, f"<p>Hello</p>{guard[1]}{{{{ {claim} }}}}{guard[2]}"
    if rule := pasted_rule(found):
        yaml = YAML(typ="safe", pure=True)
        whole, words = yaml.load(text), yaml.load(rule)
        (whole["steps"][0] if "when" in words else whole).update(words)
        yield written(whole), f"<p>Hello {{{{ {claim} }}}}</p>"


def test_a_claim_is_told_once_with_all_its_lines(tmp_path: Path) -> None:
    said = "{{ owned('mug').name }}"
    [found] = problems(
        tmp_path, campaign(f"audience: {{{GUIDE}}}"), f"<p>{said}\n{said}{said}\nx\n{said}</p>"
    )
    assert found.line == 1
    assert "said to everybody (on lines 2, 4, too)" in found.message


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("{% from 'm.html' import praise %}\n{{ praise() }}", "m.html:2:4"),
        ("{% include 'part.html' %}", "part.html:3:4"),
        ("{% extends 'base.html' %}{% block x %}{{ super() }}{% endblock %}", "base.html:1:23"),
        ("{% extends 'base.html' %}\n{% block x %}{{ owned('mug') }}{% endblock %}", "a.html:2:17"),
    ],
)
def test_it_is_told_where_it_is_said(body: str, place: str, tmp_path: Path) -> None:
    more = {
        "m.html": "{% macro praise() %}\n{{ owned('mug') }}{% endmacro %}",
        "part.html": "\n\n{{ owned('mug') }}",
        "base.html": "<p>Hi {% block x %}{{ owned('mug') }}{% endblock %}</p>",
    }
    [found] = problems(tmp_path, campaign(f"audience: {{{GUIDE}}}"), body, **more)
    assert found.place.endswith(place)


def test_a_claim_of_the_subject_is_told_in_the_campaigns_file(tmp_path: Path) -> None:
    [found] = problems(tmp_path, campaign(f"audience: {{{GUIDE}}}", subject="{{ owned('mug') }}"))
    assert (found.file, found.message[:30]) == ("campaigns/c.yaml", "subject: owned('mug') is said ")


@pytest.mark.parametrize(
    ("claim", "body"),
    [
        ("consumed('guide')", "{{ consumed('guide') }}"),
        ("consumed('guide')", "{% if consumed('guide') %}well done{% endif %}"),
        ("not_consumed('guide')", "{% if not_consumed('guide') %}open it{% endif %}"),
    ],
)
def test_front_end_copy_speaks_of_no_use(claim: str, body: str, tmp_path: Path) -> None:
    """Guarded or not, nor of none. The track is set by hand here: what the loader lets through is not asked."""
    rules = f"audience: {{{GUIDE}}}\nwhile: {{consumed: {{product: guide}}}}"
    read = read_campaign(parse_document("campaigns/c.yaml", campaign(rules)), CATALOGUE, {}, Decimal(0), {})
    templates = write_templates(tmp_path, {"a.html": f"<p>Hello</p>\n{body}{{{{ owned('guide') }}}}"})
    for track, expected in (("back-end", []), ("front-end", [(2, f"{claim} in front-end copy")])):
        files = Files(CATALOGUE, {}, [replace(read, track=track)])
        found = Studio(templates, files, SETTINGS).problems().get("c", [])
        assert [(problem.line, problem.message.split(":")[0]) for problem in found] == expected
