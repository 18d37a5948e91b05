"""`was:` names the id that a campaign began with; ids and names must be one campaign's only."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from operator import attrgetter

from engine.campaigns.model import Campaign
from engine.documents import Document
from engine.errors import Problem

Clash = tuple[Campaign, Problem]


def own_problems(document: Document) -> Iterator[Problem]:
    """What is wrong with a file's own renames: of the campaign, and of its steps."""
    data = document.data
    hint = "it names the id that it began with, where that was another; leave it out"
    if data.get("was") is not None and data.get("was") == data.get("campaign"):
        yield document.problem(("was",), "was: names the campaign itself", hint)
    listed = data.get("steps")
    steps = [step if isinstance(step, dict) else {} for step in (listed if isinstance(listed, list) else [])]
    for number, step in enumerate(steps):
        was = step.get("was")
        if was is None:
            continue
        place = ("steps", number, "was")
        if was == step.get("id"):
            yield document.problem(place, "was: names the step itself", hint)
        elif was in [other.get("id") for other in steps]:
            yield document.problem(place, f"{was!r} is the id of another step")
        elif was in [other.get("was") for other in steps[:number]]:
            yield document.problem(place, f"{was!r} is what another step was already")


def clashes(campaigns: Sequence[Campaign]) -> Iterator[Clash]:
    """Campaigns that cannot be told apart, each with its problem; who came first has none of its own."""
    ordered = sorted(campaigns, key=attrgetter("file"))
    yield from _namesakes(ordered)
    yield from _chains(ordered)


def _namesakes(campaigns: Sequence[Campaign]) -> Iterator[Clash]:
    called: dict[str, list[Campaign]] = defaultdict(list)
    for campaign in campaigns:
        for name in {campaign.id, campaign.name} - {""}:
            called[name].append(campaign)
    for name, (first, *others) in called.items():
        for other in others:
            if not (_is_called(first, other) or _is_called(other, first)):
                problem = _namesake(name, first, other)
                yield from ((first, problem), (other, problem))


def _namesake(name: str, first: Campaign, other: Campaign) -> Problem:
    whose = f"the id of {first.file}" if name in (first.id, other.id) else f"what {first.file} is called"
    place = "was" if name == other.id != other.name else "campaign"
    return other.problem((place,), f"{name!r} is also {whose}")


def _chains(campaigns: Sequence[Campaign]) -> Iterator[Clash]:
    for campaign, other in product(campaigns, campaigns):
        if _is_called(campaign, other):
            told = f"{campaign.id!r} is what {other.file} is called, which was {other.id!r}"
            problem = campaign.problem(("was",), told, "name the id that the campaign began with")
            yield from ((campaign, problem), (other, problem))


def _is_called(campaign: Campaign, other: Campaign) -> bool:
    """Whether the one says that it was what the other is called by now, though it began as something else."""
    return campaign.name != campaign.id == other.name != other.id
