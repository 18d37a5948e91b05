"""Copy of a front-end campaign says nothing of use: they bought it a moment ago."""

from collections.abc import Iterable, Iterator

from jinja2 import nodes

from engine.campaigns.model import FRONT_END, Campaign
from engine.errors import Problem
from engine.rendering.preparing import Draft

OF_USE = ("consumed", "not_consumed")


def claims_of_use(campaign: Campaign, drafts: Iterable[Draft]) -> Iterator[Problem]:
    """Every place in front-end copy that claims use, or that there was none."""
    if campaign.track != FRONT_END:
        return
    for draft in drafts:
        if not any(claim.kind in OF_USE for claim in draft.claims.all.values()):
            continue
        for file in draft.files:
            for call in file.tree.find_all(nodes.Call):
                name = call.node.name if isinstance(call.node, nodes.Name) else ""
                if name in OF_USE:
                    told = f"{name}: not in the copy of a front-end campaign, such as {campaign.name!r}"
                    hint = "they bought it a moment ago, and nothing of it is used yet"
                    yield file.source.problem(call.lineno, told, hint, word=name)
