"""Whether who gets a mail is somebody of whom all is true that it says.

The audience is asked once, at entry, so of it counts what lasts. `while` and `when` are asked at the
instant of each decision, as the claims are.
"""

from collections.abc import Iterable, Iterator

from engine.campaigns.model import FRONT_END, Campaign, Step
from engine.errors import Problem
from engine.rendering.claims import Spot
from engine.rendering.remedy import remedy
from engine.rules.model import All, Rule, Scope
from engine.rules.proving import lasting, proves

OF_USE = ("consumed", "not_consumed")


def unproven_claims(campaign: Campaign, step: Step, spots: Iterable[Spot], scope: Scope) -> Iterator[Problem]:
    """What a step's copy says of everybody, and neither the rules of its campaign nor a guard proves."""
    at_entry, known = _at_entry(campaign), _at_the_step(campaign, step, scope)
    for first, others in _by_claim(spot for spot in spots if not spot.guarded):
        wanted = first.claim.rule
        if proves(known, wanted, scope):
            continue
        said = f"{first.claim.said} is said to everybody{_again(others)}, and "
        if proves(at_entry, wanted, scope):
            said += "the audience proves it at entry only: it may be over by the time of this mail"
        else:
            said += "no rule of the campaign proves it"
        yield first.source.problem(first.line, said, remedy(first.claim, campaign, step), first.claim.kind)


def front_end_claims(campaign: Campaign, spots: Iterable[Spot]) -> Iterator[Problem]:
    """What front-end copy says of use: its readers bought just now, and have used nothing yet."""
    if campaign.track != FRONT_END:
        return
    for first, others in _by_claim(spot for spot in spots if spot.claim.kind in OF_USE):
        said = f"{first.claim.said} in front-end copy{_again(others)}: its readers bought a moment ago"
        hint = "leave it out, and speak of use in a back-end campaign"
        yield first.source.problem(first.line, said, hint, first.claim.kind)


def _at_entry(campaign: Campaign) -> Rule:
    happened = campaign.on.fact if campaign.on else None
    return All((campaign.audience,) if happened is None else (campaign.audience, happened))


def _at_the_step(campaign: Campaign, step: Step, scope: Scope) -> Rule:
    asked = (rule for rule in (campaign.while_, step.when) if rule is not None)
    return All((lasting(_at_entry(campaign), scope), *asked))


def _by_claim(spots: Iterable[Spot]) -> Iterator[tuple[Spot, list[Spot]]]:
    """The first spot of each claim in each file, and those behind it on other lines."""
    groups: dict[tuple[str, str], dict[int, Spot]] = {}
    for spot in spots:
        groups.setdefault((spot.claim.said, spot.source.name), {}).setdefault(spot.line, spot)
    for lines in groups.values():
        first, *others = (lines[line] for line in sorted(lines))
        yield first, others


def _again(others: list[Spot]) -> str:
    if not others:
        return ""
    lines = [str(spot.line) for spot in others]
    return f" (on line{'s' if len(lines) > 1 else ''} {', '.join(lines)}, too)"
