"""What to write, word for word, so that a claim is proven: a guard, or a rule."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from engine.campaigns.model import Campaign, Step
from engine.rendering.claims import Claim
from engine.rules.conditions.owned import Owned


def remedy(claim: Claim, campaign: Campaign, step: Step) -> str:
    """A guard for the template, and where one can prove it a rule for the campaign's file."""
    rule = _rule(claim)
    if rule is None:
        return f"guard it: {_guard(claim)}"
    return f"guard it: {_guard(claim)}, or write into {_place(claim, rule, campaign, step)}"


def _guard(claim: Claim) -> str:
    asked = f"{claim.said.removesuffix('.last_unit')} and {claim.said}" if claim.of_unit else claim.said
    return f"{{% if {asked} %}}…{{% endif %}}"


def _rule(claim: Claim) -> Mapping[str, Any] | None:
    """The condition of a campaign's file that asks the same; None where there is none."""
    if claim.of_unit:
        return None
    if isinstance(claim.condition, Owned):
        return {"subscribed": {"product": claim.sku}} if claim.condition.plain else None
    said = {"product": claim.sku, **claim.words}
    if claim.kind == "owned":
        return {"bought": said}
    return {"not": {"consumed": said}} if claim.kind == "not_consumed" else {"consumed": said}


def _place(claim: Claim, rule: Mapping[str, Any], campaign: Campaign, step: Step) -> str:
    """The audience of a first step, if what is true at entry stays true; else the step's own `when`."""
    written = campaign.document.data if campaign.document else {}
    if step.number == 0 and claim.lasts:
        return f"{campaign.file}: {_said({'audience': _both(written.get('audience'), rule)})}"
    steps = written.get("steps", [])
    before = steps[step.number].get("when") if step.number < len(steps) else None
    return f"the step {step.name or step.id} of {campaign.file}: {_said({'when': _both(before, rule)})}"


def _both(before: Any, rule: Mapping[str, Any]) -> Any:
    """What was asked before, and the rule."""
    if before is None:
        return rule
    parts = before["all"] if isinstance(before, dict) and set(before) == {"all"} else [before]
    return {"all": [*parts, rule]}


def _said(words: Mapping[str, Any]) -> str:
    """YAML in one line."""
    yaml, text = YAML(), StringIO()
    yaml.default_flow_style, yaml.width = True, 1_000_000
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.dump(dict(words), text)
    return text.getvalue().strip().removeprefix("{").removesuffix("}")
