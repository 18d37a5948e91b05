"""What campaigns and steps are called now. The store knows each by the id it began with, for good."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, TypeVar

Shown = TypeVar("Shown", bound=Any)


@dataclass(frozen=True)
class Names:
    """The names by the first ids."""

    campaigns: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by campaign and step

    def campaign(self, campaign_id: str) -> str:
        return self.campaigns.get(campaign_id, campaign_id)

    def step(self, campaign_id: str, step_id: str) -> str:
        return self.steps.get((campaign_id, step_id), step_id)

    @cached_property
    def first_ids(self) -> Mapping[tuple[str, ...], str]:
        """The other way round: of a campaign by its name, of a step by its campaign's name and its own."""
        found: dict[tuple[str, ...], str] = {(name,): first for first, name in self.campaigns.items()}
        for (campaign_id, first), name in self.steps.items():
            found[self.campaign(campaign_id), name] = first
        return found

    def shown(self, found: Shown) -> Shown:
        """A finding about a campaign, and perhaps a step of it, as people are to read it."""
        said: dict[str, str] = {"campaign": self.campaign(found.campaign)}
        if "step" in {each.name for each in fields(found)}:
            said["step"] = self.step(found.campaign, found.step)
        return replace(found, **said)

    def row(self, row: Any) -> dict[str, Any]:
        """The same of a row of the store."""
        campaign_id = row["campaign_id"]
        said = {"campaign_id": self.campaign(campaign_id)}
        if "step_id" in row:
            said["step_id"] = self.step(campaign_id, row["step_id"])
        return {**row, **said}
