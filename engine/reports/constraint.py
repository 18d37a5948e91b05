"""The constraint: the stage where reaching what it could be would bring the most money per visitor."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.reports.ways import Rate, best_of
from engine.settings.reports import Stage


class Standing(StrEnum):
    """How a stage stands against its target."""

    BELOW = "below"  # surely
    UNCLEAR = "unclear"  # below, but chance alone may have done it
    REACHED = "reached"
    NO_TARGET = "no target"  # none set, and no better time or source known
    TOO_FEW = "too few"  # visitors to judge
    NOBODY = "nobody"  # came through, so nobody can say what that would bring


WORDS = {
    Standing.BELOW: "below its target",
    Standing.UNCLEAR: "not enough visitors yet to tell it from its target",
    Standing.REACHED: "at its target",
    Standing.NO_TARGET: "no target, and no better time or source",
    Standing.TOO_FEW: "not enough visitors yet",
    Standing.NOBODY: "nobody came through",
}


@dataclass(frozen=True)
class Judged:
    """A stage, measured: its target, where that comes from, and what reaching it would bring."""

    stage: Stage
    rate: Rate
    standing: Standing
    target: float | None = None
    measure: str = ""  # where the target comes from
    gain: float | None = None  # minor units of money for each visitor of the funnel

    def as_json(self) -> dict[str, Any]:
        return {
            "standing": self.standing,
            "target": self.target,
            "target_from": self.measure or None,
            "gain_per_visitor": self.gain,
        }


@dataclass(frozen=True)
class Constraint:
    """The stage that holds the most back, or why none can be named."""

    judged: Judged | None
    visitors: int
    why_none: str = ""

    @property
    def total(self) -> int | None:
        """What these visitors would have brought besides, in minor units."""
        gain = self.judged.gain if self.judged else None
        return None if gain is None else round(gain * self.visitors)

    def as_json(self) -> dict[str, Any]:
        if self.judged is None:
            return {"stage": None, "why": self.why_none}
        return {"stage": self.judged.stage.name, **self.judged.as_json(), "gain": self.total}


def judge(
    stage: Stage,
    rate: Rate,
    groups: Sequence[tuple[str, Rate]],
    money: int,
    visitors: int,
    at_least: int,
) -> Judged:
    """Measure a stage by its target, else by its own best group; `money` came in through it."""
    if rate.of < at_least:
        return Judged(stage, rate, Standing.TOO_FEW)
    best = best_of(groups, rate, at_least)
    if stage.target is not None:
        target, measure = float(stage.target), "config.yaml"
    elif best is not None:
        measure, target = best
    else:
        return Judged(stage, rate, Standing.NOBODY if not rate.did else Standing.NO_TARGET)
    share = rate.did / rate.of
    if share >= target:
        return Judged(stage, rate, Standing.REACHED, target, measure)
    if not rate.did:
        return Judged(stage, rate, Standing.NOBODY, target, measure)
    gain = money / visitors * (target / share - 1)
    sure = Standing.BELOW if rate.interval.high < target else Standing.UNCLEAR
    return Judged(stage, rate, sure, target, measure, gain)


def constraint_of(judged: Sequence[Judged], visitors: int) -> Constraint:
    """The constraint among these stages. Where nobody passes a stage of the way, that one is it."""
    blocked = [each for each in judged if each.standing is Standing.NOBODY and not each.stage.is_offer]
    if blocked:
        return Constraint(blocked[0], visitors)
    below = [each for each in judged if each.standing is Standing.BELOW]
    if below:
        return Constraint(max(below, key=lambda each: each.gain or 0.0), visitors)
    return Constraint(None, visitors, _why_none({each.standing for each in judged}))


def _why_none(standings: set[Standing]) -> str:
    if standings <= {Standing.TOO_FEW} or Standing.UNCLEAR in standings:
        return "not enough visitors yet"
    if Standing.NO_TARGET in standings:
        return "no stage is below its target, and no time or source was surely better at one without a target"
    return "every stage with enough visitors is at its target"
