"""What an import says while it runs, and when it is done."""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from pathlib import Path

from engine.clock import from_micros
from engine.facts.examples import Examples

MOST_REASONS = 5
MOST_UNKNOWN = 1_000


@dataclass(frozen=True)
class ImportProgress:
    """How far one file is, in bytes of it; a byte that was read but has not landed yet counts half."""

    file: str
    done: int
    total: int


@dataclass(frozen=True)
class ImportSummary:
    """What became of one file. All counts are of rows, and `read` is the sum of the others.

    A row of an order counts as its order does: one changed line makes all its rows `updated`.
    """

    file: str
    kind: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    skipped: int  # as the map says, or of people who were erased
    rejected: int
    rejects_file: Path | None
    reasons: tuple[tuple[str, int], ...]  # the most frequent, with their counts
    other_reasons: int  # so many besides
    notes: tuple[str, ...]
    merges: Examples  # anonymous customers who turned out to be known ones
    conflicts: Examples  # names that belong to two customers, who never become one by themselves


@dataclass
class UnknownSkus:
    """Rows that name what the catalogue does not; an empty catalogue knows nothing and says nothing."""

    known: Set[str]
    rows: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def see(self, skus: Iterable[str]) -> None:
        if not self.known:
            return
        for sku, rows in Counter(skus).items():
            if sku and sku not in self.known:
                self.rows += rows
                if sku in self.names or len(self.names) < MOST_UNKNOWN:
                    self.names[sku] += rows

    def notes(self) -> Iterable[str]:
        if self.rows:
            some = ", ".join(name for name, _ in self.names.most_common(3))
            count = f"{len(self.names):,}" + ("+" if len(self.names) == MOST_UNKNOWN else "")
            told = f"products that are not in the catalogue: {count}, such as {some}"
            yield f"{told}; rows that name them: {self.rows:,}"


@dataclass
class ToCome:
    """Rows of a time that is still to come, which many a date that was misread is."""

    now: int
    rows: int = 0
    latest: int = 0

    def see(self, instants: Iterable[int]) -> None:
        late = [at for at in instants if at > self.now]
        self.rows += len(late)
        self.latest = max((self.latest, *late))

    def notes(self) -> Iterable[str]:
        if self.rows:
            latest = f"{from_micros(self.latest):%Y-%m-%d %H:%M}Z"
            told = f"rows of a time that is still to come: {self.rows:,}, the latest of {latest}"
            yield f"{told}; they count from then on. Are day and month as they are meant?"
