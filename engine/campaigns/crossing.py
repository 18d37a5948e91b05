"""Campaigns that would cross the line between front end and back end: each told with its clause."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from engine.campaigns.back_end import inside_of_an_order
from engine.campaigns.fruitless import only_strangers
from engine.campaigns.model import FRONT_END, Campaign
from engine.clock import EPOCH, format_duration
from engine.documents import KeyPath
from engine.errors import Problem
from engine.rules.conditions.consumed import Consumed
from engine.rules.model import All, Rule, Scope
from engine.settings.policies import FrontEnd

LEFT_OUT = {  # keys that mean nothing inside a transaction
    "on": "it begins when a transaction opens, while its audience holds",
    "transactional": "what is owed goes at once, on either side of the line: leave track out",
    "cool_down": "it speaks to people while they buy",
    "offers_again_after": "only the back end waits after a refusal",
}
USED = "consumed: not in a front-end campaign"
USED_HINT = "they bought it a moment ago, and nothing of it is used yet"
_IN_DAYS = re.compile(r"\d+[dw]")


def crossings(campaign: Campaign, front_end: FrontEnd, segments: Mapping[str, Rule]) -> Iterator[Problem]:
    """What is wrong with a campaign that is sound but for its track."""
    yield from only_strangers(campaign, segments)
    if campaign.track == FRONT_END:
        yield from plain_crossings(campaign, segments)
        yield from _waits(campaign, front_end)
    elif not campaign.transactional:
        yield from inside_of_an_order(campaign, front_end, segments)


def plain_crossings(campaign: Campaign, segments: Mapping[str, Rule]) -> Iterator[Problem]:
    """What can be told of its keys and rules alone, whatever else is wrong with it."""
    if campaign.track == FRONT_END:
        yield from _keys(campaign)
        yield from _use(campaign, segments)


def _keys(campaign: Campaign) -> Iterator[Problem]:
    for key, why in LEFT_OUT.items():
        if _written(campaign).get(key) not in (None, False):
            yield campaign.problem((key,), f"{key}: not in a front-end campaign", why)


def _waits(campaign: Campaign, front_end: FrontEnd) -> Iterator[Problem]:
    """Its steps stand within the window, by the minute."""
    passed, window = timedelta(0), format_duration(front_end.window)
    for step in campaign.steps:
        path = ("steps", step.number)
        written = _written(campaign)["steps"][step.number].get("after")
        passed += step.after
        if step.local_days is not None or _IN_DAYS.fullmatch(str(written)):
            told = "after: a front-end campaign counts in minutes"
            yield campaign.problem((*path, "after"), told, f"its transaction closes after {window}")
        elif passed >= front_end.window:
            told = f"after: {format_duration(passed)} after the transaction opened it is closed"
            yield campaign.problem((*path, "after"), told, f"front_end.window is {window}")
        if not step.send.at_any_time:
            told = "send: a front-end campaign waits for no window"
            yield campaign.problem((*path, "send"), told, f"its transaction closes after {window}")


def _use(campaign: Campaign, segments: Mapping[str, Rule]) -> Iterator[Problem]:
    for path, rule in campaign.rules:
        if _asks_of_use(rule, _scope(segments)):
            yield campaign.problem(_place(_written(campaign), path), f"{path[-1]}: {USED}", USED_HINT)


def _scope(segments: Mapping[str, Rule]) -> Scope:
    """A segment that is not there, or not sound, is told elsewhere."""
    return Scope(EPOCH, segments=defaultdict(lambda: All(()), segments))


def _asks_of_use(rule: Rule, scope: Scope) -> bool:
    return isinstance(rule, Consumed) or any(_asks_of_use(part, scope) for part in rule.parts(scope))


def _place(data: Any, path: KeyPath) -> KeyPath:
    """Where in the rule at that path `consumed` is written; the rule, where a segment asks it."""
    here = data
    for part in path:
        here = here[part]
    return next(_found(here, path), path)


def _found(rule: Any, path: KeyPath) -> Iterator[KeyPath]:
    parts = rule.items() if isinstance(rule, dict) else enumerate(rule) if isinstance(rule, list) else ()
    for key, part in parts:
        if key == Consumed.key:
            yield (*path, key)
        else:
            yield from _found(part, (*path, key))


def _written(campaign: Campaign) -> Mapping[str, Any]:
    return campaign.document.data if campaign.document else {}
