"""Send windows that the quiet hours leave nothing of."""

from collections.abc import Iterator

from engine.campaigns.model import CUSTOMER, Campaign
from engine.errors import Problem
from engine.zones import WHOLE_DAY, Hours


def never_open(campaign: Campaign, quiet: Hours | None) -> Iterator[Problem]:
    """A window by the customer's clock that lies wholly within the quiet hours: no mail could ever go.

    By another clock it may lie outside them for some.
    """
    for step in campaign.steps if quiet else ():
        if quiet and step.send.timezone == CUSTOMER and _within(step.send.between, quiet):
            told = f"between {step.send.between} lies wholly within quiet_hours ({quiet})"
            hint = "no mail could ever go; change one of them"
            yield campaign.problem(("steps", step.number, "send", "between"), told, hint)


def _within(window: Hours, quiet: Hours) -> bool:
    """Also where one of them is of the day before."""
    day = WHOLE_DAY.end
    return any(
        quiet.start + shift <= window.start and window.end <= quiet.end + shift for shift in (-day, 0, day)
    )
