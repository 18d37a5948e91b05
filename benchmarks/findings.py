"""What a measurement found, beside what it was measured against and what it should be."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reached", "missed", ""]


@dataclass(frozen=True)
class Aim:
    """A bound for a ratio: at most so much, or at least."""

    bound: float
    at_least: bool = False

    def holds(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}x"


@dataclass(frozen=True)
class Finding:
    """One line of the result. Without a baseline it only tells; without an aim nothing is asked of it."""

    what: str
    ours: float
    unit: str
    baseline: float | None = None
    aim: Aim | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.baseline if self.baseline else None

    @property
    def verdict(self) -> Verdict:
        judged = self._judged
        if self.aim is None or judged is None:
            return ""
        return "reached" if self.aim.holds(judged) else "missed"

    @property
    def _judged(self) -> float | None:
        """An aim of at least so much asks how many times more the baseline takes."""
        ratio = self.ratio
        return 1 / ratio if ratio and self.aim and self.aim.at_least else ratio

    def cells(self) -> tuple[str, ...]:
        """As a row: what, ours, baseline, ratio, aim, verdict, note."""
        judged = self._judged
        return (
            self.what,
            told(self.ours, self.unit),
            "" if self.baseline is None else told(self.baseline, self.unit),
            "" if judged is None else f"{judged:,.0f}x" if judged >= 10 else f"{judged:.2f}x",
            "" if self.aim is None else str(self.aim),
            self.verdict,
            self.note,
        )

    def __str__(self) -> str:
        what, ours, baseline, ratio, aim, verdict, note = self.cells()
        said = f"{what}: {ours}"
        said += f" against {baseline}, {ratio}" if baseline else ""
        said += f" (aim {aim}: {verdict})" if aim else ""
        return said + (f"; {note}" if note else "")


COLUMNS = ("what", "ours", "baseline", "ratio", "aim", "", "note")


def told(value: float, unit: str) -> str:
    """A number as people read it: `41 ms`, `3.20 s`, `142 MiB`, `1,754,000 steps`."""
    if unit == "s" and value < 1:
        return f"{value * 1000:,.1f} ms"
    return f"{value:,.2f} {unit}" if value < 100 else f"{value:,.0f} {unit}"
