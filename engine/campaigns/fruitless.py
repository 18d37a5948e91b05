"""Campaigns that no mail can come of: for people who have bought nothing, or who own what is offered."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from engine.campaigns.model import Campaign, Files
from engine.clock import EPOCH
from engine.errors import Problem
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.ordered import Ordered
from engine.rules.model import All, Not, Rule, Scope
from engine.rules.proving import lasting, proves

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


def owned_by_all(campaign: Campaign, files: Files) -> Iterator[Problem]:
    """An offer that all whom it may reach have bought. A subscription may be over, and be offered again."""
    scope = Scope(EPOCH, files.catalogue, segments=files.segments)
    on = campaign.on.fact if campaign.on else None
    known = lasting(All((campaign.audience,) if on is None else (campaign.audience, on)), scope)
    for place, sku in enumerate(campaign.offers):
        product = files.catalogue.get(sku)
        if product and product.kind != "subscription" and proves(known, Bought(product=sku), scope):
            told = f"offers: whoever is in the audience owns {sku!r}, so nobody gets a mail"
            hint = "what is bought again and again is no offer: name it in the copy, as product('…')"
            yield campaign.problem(("offers", place), told, hint)
