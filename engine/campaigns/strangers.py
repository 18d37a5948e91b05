"""Campaigns that no mail can come of, since they ask for people who have bought nothing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from engine.campaigns.model import Campaign
from engine.clock import EPOCH
from engine.errors import Problem
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.ordered import Ordered
from engine.rules.model import All, Not, Rule, Scope
from engine.rules.proving import proves

NONE_AT_ALL: tuple[Rule, ...] = (
    *(Not(Bought(any=True)), Not(Ordered())),
    *(Bought(any=True, at_most=0), Ordered(at_most=0)),
)
TOLD = "holds nobody but people who have bought nothing, so no mail ever goes"
HINT = "mail goes to customers only, in both tracks; ask for what they bought"


def only_strangers(campaign: Campaign, segments: Mapping[str, Rule]) -> Iterator[Problem]:
    """The rules that hold for no customer."""
    scope = Scope(EPOCH, segments=defaultdict(lambda: All(()), segments))  # others are told elsewhere
    for path, rule in campaign.rules:
        if path[-1] != "goal" and any(proves(rule, wanted, scope) for wanted in NONE_AT_ALL):
            yield campaign.problem(path, f"{path[-1]}: {TOLD}", HINT)
