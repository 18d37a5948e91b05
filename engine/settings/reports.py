"""What the reports on the front end judge by."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.clock import parse_duration
from engine.settings.values import Lasting, Part, Percent

OFFERS = ("bump", "upsell", "downsell")


class Stage(Part):
    """A stage of the funnel: a page that is visited, the order, or an offer around it."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S(.*\S)?$")] = Field(
        description="as visits say it"
    )
    kind: Literal["page", "opt-in", "sales-page", "order-form", "order", "bump", "upsell", "downsell"] = (
        Field(description="what it is")
    )
    sku: str = Field("", max_length=80, description="of an offer; empty: whatever stood at that position")
    target: Percent | None = Field(
        None, description="the share that should go on to it from the stage before, or take the offer"
    )

    @property
    def is_offer(self) -> bool:
        return self.kind in OFFERS

    def __str__(self) -> str:
        return self.name


def _usual_stages() -> tuple[Stage, ...]:
    usual = ("opt-in", "sales-page", "order-form", "order", *OFFERS)
    return (
        Stage(name="landing", kind="page"),
        *(Stage.model_validate({"name": kind, "kind": kind}) for kind in usual),
    )


class Funnel(Part):
    """The way to the first order, for `report funnel`. See [reports](../reports.md#funnel)."""

    stages: Annotated[tuple[Stage, ...], Field(max_length=20)] = Field(
        _usual_stages(), description="in the order of the way"
    )
    at_least: int = Field(100, ge=1, description="with fewer visitors at a stage nothing is judged")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        names = [stage.name for stage in self.stages]
        way = [stage.kind for stage in self.stages if not stage.is_offer]
        for name in names:
            if names.count(name) > 1:
                msg = f"there are two stages {name!r}"
                raise ValueError(msg)
        if way.count("order") != 1 or way[-1] != "order" or len(way) < 2:
            msg = "stages: one stage is the order; pages come before it, and only offers after it"
            raise ValueError(msg)
        for stage in self.stages:
            if stage.sku and not stage.is_offer:
                msg = f"stage {stage.name!r}: only an offer has a sku"
                raise ValueError(msg)
        return self


class Sources(Part):
    """What advertising must bring, for `report sources`. See [reports](../reports.md#sources)."""

    payback: Lasting = Field(
        parse_duration("90d"),
        description="what was spent on a customer should have come back after so long; whole days",
    )
    at_least: int = Field(30, ge=1, description="with fewer customers of a source nothing is judged")

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if self.payback % timedelta(days=1):
            msg = "payback: write whole days, such as 90d"
            raise ValueError(msg)
        return self
