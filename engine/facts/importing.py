"""The import of files of facts: read, judged, sorted, and landed in short transactions.

Each file goes through four hands: `reading` cuts it into rows, `judging` works out their values,
`staging` brings together what belongs together, and the kind's importer lands it in chunks.
What was landed before an import was broken off stays, and the next import leaves it as it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy.exc import IntegrityError

from engine.clock import span, to_micros
from engine.errors import StoreClash
from engine.facts.agreement import agree
from engine.facts.batches import batched
from engine.facts.catalogue import Catalogue
from engine.facts.collector import seldom_collecting
from engine.facts.columns import Money
from engine.facts.importers import IMPORTERS
from engine.facts.importers.importer import Landing, Outcome
from engine.facts.judging import Judge
from engine.facts.opening import ImportJob, Opened, open_job
from engine.facts.reading import Record
from engine.facts.refusal import Refused
from engine.facts.rejects import SUFFIX, Rejects, clear
from engine.facts.shelf import Shelf
from engine.facts.sources.scratch import Scratch
from engine.facts.staging import MOST_BUNDLED, Staging
from engine.facts.summary import MOST_REASONS, ImportProgress, ImportSummary, ToCome, UnknownSkus
from engine.facts.tombstones import Graveyard
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.ids import IdFactory

__all__ = ["ImportJob", "ImportProgress", "ImportSummary", "import_files"]

JUDGED_AT_ONCE = 1_000
CHUNK = 5_000
TELL_EVERY = 2_000
ATTEMPTS = 5
AT = "at"  # the column of when something happened
Tell = Callable[[ImportProgress], None]


def import_files(  # noqa: PLR0913 - all that an import touches, each named by its caller
    store: Store,
    settings: Settings,
    catalogue: Catalogue,
    jobs: Sequence[ImportJob],
    *,
    now: datetime,
    ids: IdFactory,
    rejects_folder: Path,
    progress: Tell,
    products_file: Path | None = None,
) -> list[ImportSummary]:
    """Import the files: those first that others need, and of one kind in their order.

    All headers and maps are judged before the first row lands. Raises ImportFailed for a file that
    cannot be read at all, Problems for mistakes in a map, UsageError for a wrong `kind`, SettingsError
    where stored amounts are in another currency than the shop's.
    Rows that cannot land are written to a file in `rejects_folder`, with their reasons. It takes the place
    of an earlier import's, but never of one that ran at the same time.
    """
    currency = settings.shop.currency
    money = Money(currency, get_currency_precision(currency))
    shelf = Shelf(products_file, catalogue)
    landing = Landing(now, ids, span(settings.front_end.window), money, settings.zone, shelf)
    with Scratch() as scratch:
        opened = sorted((open_job(job, money, scratch) for job in jobs), key=_turn)
        targets = _targets(rejects_folder, opened)
        notes = agree(store, settings, ids)
        for target in targets:
            clear(target)
        done = [
            _Import(
                each,
                store,
                landing,
                UnknownSkus(shelf.catalogue.keys()),
                ToCome(to_micros(now)),
                progress,
                Graveyard(settings),
            ).run(target)
            for each, target in zip(opened, targets, strict=True)
        ]
    return [replace(summary, notes=(*notes, *summary.notes)) for summary in done]


@dataclass
class _Import:
    """One file on its way into the store."""

    opened: Opened
    store: Store
    landing: Landing
    unknown: UnknownSkus
    to_come: ToCome
    tell: Tell
    graves: Graveyard
    read: int = 0
    skipped: int = 0
    erased: int = 0
    size: int = 0

    def run(self, target: Path) -> ImportSummary:
        opened = self.opened
        total = Outcome()
        self.size = opened.source.path.stat().st_size
        with (
            seldom_collecting(),
            Rejects(opened.source.path, target, opened.form.encoding) as rejects,
            Staging(opened.importer) as staging,
        ):
            staging.fill(self._rows(rejects, staging))
            self.landing = self.landing._replace(spoiled=staging)
            landed, staged = 0, self.read - self.skipped - rejects.count
            for chunk in staging.chunks(CHUNK, lambda row: rejects.add(row.place, _TOO_MANY)):
                outcome = self._land(chunk)
                total.add(outcome)
                for place, refused in outcome.refused:
                    rejects.add(place, refused)
                landed += len(chunk)
                self._progress(self.size + self.size * landed // staged)
            self._progress(2 * self.size)
            return self._summary(total, rejects)

    def _rows(self, rejects: Rejects, staging: Staging[Any]) -> Iterator[list[Any]]:
        """The rows that can be read, in the blocks in which they are judged."""
        importer = self.opened.importer
        judge = Judge(importer, self.opened.plan)
        for records in batched(self._records(), JUDGED_AT_ONCE):
            judged = judge.judge(records)
            for record, refused in judged.refused:
                rejects.add(record.place, refused)
                # what is left of its order must not replace a stored one
                staging.spoil(judge.order(record))
            self.skipped += judged.skipped
            if importer.sku:
                self.unknown.see(map(importer.sku, judged.rows))
            if AT in importer.names:
                self.to_come.see(row.at for row in judged.rows)
            yield judged.rows

    def _records(self) -> Iterator[Record]:
        for record in self.opened.source.records(self.opened.form, header=self.opened.header):
            self.read += 1
            if self.read % TELL_EVERY == 0:
                self._progress(record.place[1])
            yield record

    def _land(self, chunk: list[Any]) -> Outcome:
        """Land a chunk whole, but for the rows of who was erased.

        Where another import met the same people at the same time, look again.
        """
        attempts_left = ATTEMPTS
        while True:
            attempts_left -= 1
            try:
                with self.store.writing() as connection:
                    rows = self.graves.sift(connection, chunk)
                    landed = self.opened.importer.land(connection, rows, self.landing) if rows else Outcome()
                self.erased += len(chunk) - len(rows)
                return landed
            except (IntegrityError, StoreClash):
                if not attempts_left:
                    raise

    def _progress(self, done: int) -> None:
        """`done` is up to twice the file's size: every byte is read, and then lands."""
        self.tell(ImportProgress(self.opened.source.name, done // 2, self.size))

    def _summary(self, total: Outcome, rejects: Rejects) -> ImportSummary:
        return ImportSummary(
            file=self.opened.source.name,
            kind=self.opened.importer.kind,
            read=self.read,
            inserted=total.inserted,
            updated=total.updated,
            unchanged=total.unchanged,
            skipped=self.skipped + self.erased,
            rejected=rejects.count,
            rejects_file=rejects.path,
            reasons=tuple(rejects.reasons.most_common(MOST_REASONS)),
            other_reasons=max(0, len(rejects.reasons) - MOST_REASONS),
            notes=(
                *self.opened.notes,
                *self.unknown.notes(),
                *self.to_come.notes(),
                *self._notes(total),
                *self._advice(total, rejects),
            ),
            merges=total.merges,
            conflicts=total.conflicts,
        )

    def _notes(self, total: Outcome) -> Iterator[str]:
        yield from _shortened(total)
        yield from _overdrawn(total)
        yield from _moved(total, self.opened.importer.kind)
        yield from _differing(total)
        if self.erased:
            yield f"rows of people who were erased, and were passed over: {self.erased:,}"

    def _advice(self, total: Outcome, rejects: Rejects) -> Iterator[str]:
        landed = bool(total.inserted + total.updated + total.unchanged)
        return rejects.advice.notes(self.landing.money, floats=self.opened.source.floats, landed=landed)


def _turn(opened: Opened) -> int:
    return list(IMPORTERS).index(opened.importer.kind)


def _shortened(total: Outcome) -> Iterator[str]:
    """An order whose rows are divided among files would silently keep those of the last one only."""
    if total.shortened.count:
        lost = f"{total.shortened.count:,}, such as {', '.join(total.shortened.first)}"
        yield (
            f"orders that came again without some of their lines, and lost them: {lost}; "
            "an order is replaced whole, so give all its lines in one file"
        )


def _overdrawn(total: Outcome) -> Iterator[str]:
    if total.overdrawn.count:
        some = f"{total.overdrawn.count:,}, such as {', '.join(total.overdrawn.first)}"
        yield (
            f"refunds that count for nothing any more: {some}; "
            "with what went back before them they are more than was paid"
        )


def _moved(total: Outcome, kind: str) -> Iterator[str]:
    if total.moved.count:
        some = f"{total.moved.count:,}, such as {', '.join(total.moved.first)}"
        whose = "each is whose its latest row says" if kind == "subscriptions" else "each is theirs now"
        yield f"{kind} that came with another customer than before: {some}; {whose}"


def _differing(total: Outcome) -> Iterator[str]:
    if total.differing.count:
        some = f"{total.differing.count:,}, such as {', '.join(total.differing.first)}"
        yield f"products that campaigns/products.yaml describes otherwise, and keeps as it has them: {some}"


_TOO_MANY = Refused(
    f"is one of more than {MOST_BUNDLED:,} rows of one order, person or subscription; "
    "is that column what it seems?"
)


def _targets(folder: Path, opened: Sequence[Opened]) -> list[Path]:
    """A rejects file for each source, none named like another of this import."""
    names: list[str] = []
    for each in opened:
        name, number = each.source.stem, 1
        while name in names:
            number += 1
            name = f"{each.source.stem}-{number}"
        names.append(name)
    return [folder / f"{name}{SUFFIX}" for name in names]
