"""Back-end campaigns that would mail inside of an open order, or never: its quiet comes first."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta

from engine.campaigns.model import FRONT_END, Campaign
from engine.clock import EPOCH, format_duration
from engine.errors import Problem
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.first_order import FirstOrder
from engine.rules.conditions.last_order import LastOrder
from engine.rules.conditions.ordered import Ordered
from engine.rules.conditions.segment import Segment
from engine.rules.conditions.spent import Spent
from engine.rules.model import All, AnyOf, Rule, Scope
from engine.settings.policies import FrontEnd


def inside_of_an_order(
    campaign: Campaign, front_end: FrontEnd, segments: Mapping[str, Rule]
) -> Iterator[Problem]:
    """What is wrong with a back-end campaign."""
    yield from _open_order(campaign, front_end)
    yield from _never(campaign, front_end, segments)


def held_at_first(campaign: Campaign, front_end: FrontEnd) -> Iterator[Problem]:
    """A run that begins with an order, and whose first mail waits unless that closed early."""
    fact = campaign.on.fact if campaign.on else None
    if campaign.track == FRONT_END or campaign.transactional or not isinstance(fact, Bought):
        return
    if front_end.quiet <= _first_wait(campaign) < _over(front_end):
        told = f"after: {_after(_first_wait(campaign))} the order is open or just closed, so the mail waits"
        path = ("steps", campaign.steps[0].number, "after")
        yield campaign.problem(path, told, f"it goes {_ends(front_end)} after the order at the latest")


def _open_order(campaign: Campaign, front_end: FrontEnd) -> Iterator[Problem]:
    """A run that begins on an order, and whose first mail lies within the quiet."""
    fact = campaign.on.fact if campaign.on else None
    if not isinstance(fact, Bought):
        return
    word = "end" if fact.end == "front" else "position" if fact.position else ""
    if _first_wait(campaign) < (_over(front_end) if word else front_end.quiet):
        path = ("on", "bought", word) if word else ("on",)
        told = f"on: bought{f' with {word}: {getattr(fact, word)}' if word else ''} is an open order, "
        told += f"and the first step comes {_after(_first_wait(campaign))}"
        hint = f"wait {_ends(front_end)} or more (front_end.window and quiet), or write track: front-end"
        yield campaign.problem(path, told, hint)


def _never(campaign: Campaign, front_end: FrontEnd, segments: Mapping[str, Rule]) -> Iterator[Problem]:
    """What is asked at the time of a mail, and holds only where no back-end mail goes."""
    quiet = front_end.quiet
    scope = Scope(EPOCH, segments=defaultdict(lambda: All(()), segments))  # others are told elsewhere
    for path, rule in campaign.rules:
        if path[-1] in ("while", "when") and _only_in(quiet, rule, scope):
            told = f"{path[-1]}: holds only within {format_duration(quiet)} of an order, so no mail ever goes"
            hint = (
                "front_end.quiet keeps the back end silent that long; ask for more, or write track: front-end"
            )
            yield campaign.problem(path, told, hint)


def _only_in(quiet: timedelta, rule: Rule, scope: Scope) -> bool:
    """Whether it holds for nobody who has no order that is younger than that."""
    match rule:
        case Bought() | Ordered() | Spent() | FirstOrder() | LastOrder():
            return _wants_one(rule) and rule.within is not None and rule.within < quiet
        case AnyOf():
            return bool(rule.rules) and all(_only_in(quiet, part, scope) for part in rule.rules)
        case All():
            return any(_only_in(quiet, part, scope) for part in rule.rules)
        case Segment():
            return any(_only_in(quiet, part, scope) for part in rule.parts(scope))
    return False


def _wants_one(rule: Rule) -> bool:
    """Whether it holds for nobody without any order of the kind that it asks for."""
    match rule:
        case Bought() | Ordered():
            return rule.least > 0
        case Spent():
            return rule.at_least is not None and rule.at_least > 0
    return True


def _first_wait(campaign: Campaign) -> timedelta:
    first = campaign.steps[0]
    return first.after if first.local_days is None else timedelta(days=first.local_days)


def _over(front_end: FrontEnd) -> timedelta:
    """How long after an order its quiet is over, at the latest."""
    return front_end.window + front_end.quiet


def _ends(front_end: FrontEnd) -> str:
    return format_duration(_over(front_end))


def _after(waits: timedelta) -> str:
    return f"{format_duration(waits)} later" if waits else "at once"
