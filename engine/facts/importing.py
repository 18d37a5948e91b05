"""The import of files of facts: read, judged, sorted, and landed in short transactions.

Each file goes through four hands: `reading` cuts it into rows, a `Plan` of `columns` judges their
values, `staging` brings together what belongs together, and the kind's importer lands it in chunks.
What was landed before an import was broken off stays, and the next import leaves it as it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy.exc import IntegrityError

from engine.clock import span
from engine.facts.catalogue import Catalogue
from engine.facts.collector import seldom_collecting
from engine.facts.columns import Money
from engine.facts.importers import IMPORTERS
from engine.facts.importers.importer import Landing, Outcome
from engine.facts.opening import ImportJob, Opened, open_job
from engine.facts.reading import Record, records
from engine.facts.refusal import Refused
from engine.facts.rejects import Rejects
from engine.facts.staging import MOST_BUNDLED, Staging
from engine.facts.summary import MOST_REASONS, ImportProgress, ImportSummary, UnknownSkus
from engine.settings import Settings
from engine.store.connect import Store
from engine.store.ids import IdFactory

__all__ = ["ImportJob", "ImportProgress", "ImportSummary", "import_files"]

CHUNK = 5_000
TELL_EVERY = 2_000
ATTEMPTS = 5
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
) -> list[ImportSummary]:
    """Import the files: those first that others need, and of one kind in their order.

    All headers and maps are judged before the first row lands. Raises ImportFailed for a file that
    cannot be read at all, Problems for mistakes in a map, UsageError for a wrong `kind`.
    Rows that cannot land are written to a file in `rejects_folder`, with their reasons.
    """
    currency = settings.shop.currency
    money = Money(currency, get_currency_precision(currency))
    opened = sorted((open_job(job, money) for job in jobs), key=_turn)
    landing = Landing(now, ids, span(settings.front_end.window), money, settings.zone)
    targets = _targets(rejects_folder, opened)
    return [
        _Import(each, store, landing, UnknownSkus(frozenset(catalogue)), progress).run(target)
        for each, target in zip(opened, targets, strict=True)
    ]


@dataclass
class _Import:
    """One file on its way into the store."""

    opened: Opened
    store: Store
    landing: Landing
    unknown: UnknownSkus
    tell: Tell
    read: int = 0
    skipped: int = 0
    size: int = 0

    def run(self, target: Path) -> ImportSummary:
        opened = self.opened
        total = Outcome()
        self.size = opened.path.stat().st_size
        with (
            seldom_collecting(),
            Rejects(opened.path, target, opened.form.encoding) as rejects,
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

    def _rows(self, rejects: Rejects, staging: Staging[Any]) -> Iterator[Any]:
        """The rows that can be read."""
        sku = self.opened.importer.sku
        for record in self._records():
            try:
                row = self._row(record)
            except Refused as refused:
                rejects.add(record.place, refused)
                self._spoil(record, staging)
                continue
            if row is None:
                self.skipped += 1
                continue
            if sku:
                self.unknown.see(sku(row))
            yield row

    def _spoil(self, record: Record, staging: Staging[Any]) -> None:
        """Remember the order whose row was rejected: what is left of it must not replace a stored one."""
        fields, plan = record.fields, self.opened.plan
        if len(fields) == plan.width and plan.joins:
            fields = plan.joined(fields)
        order = plan.value("order_id", fields)
        if order:
            staging.spoil(order)

    def _records(self) -> Iterator[Record]:
        with self.opened.path.open("rb") as file:
            found = records(file, self.opened.form)
            if self.opened.header:
                next(found, None)
            for record in found:
                self.read += 1
                if self.read % TELL_EVERY == 0:
                    self._progress(record.place[1])
                yield record

    def _row(self, record: Record) -> Any | None:
        """The row of a record, None where the map says to skip it. Raises Refused."""
        place, fields, defect = record
        plan = self.opened.plan
        if defect:
            raise Refused(defect)
        if len(fields) != plan.width:
            raise _width(fields, plan.width)
        if plan.joins:
            fields = plan.joined(fields)
        if plan.skip and plan.skip(fields):
            return None
        credit = plan.credit is not None and plan.credit(fields)
        return self.opened.importer.row(plan.values(fields), place, credit)

    def _land(self, chunk: list[Any]) -> Outcome:
        """Land a chunk whole. Where another import met the same person first, look again."""
        attempts_left = ATTEMPTS
        while True:
            attempts_left -= 1
            try:
                with self.store.writing() as connection:
                    return self.opened.importer.land(connection, chunk, self.landing)
            except IntegrityError:
                if not attempts_left:
                    raise

    def _progress(self, done: int) -> None:
        """`done` is up to twice the file's size: every byte is read, and then lands."""
        self.tell(ImportProgress(self.opened.name, done // 2, self.size))

    def _summary(self, total: Outcome, rejects: Rejects) -> ImportSummary:
        return ImportSummary(
            file=self.opened.name,
            kind=self.opened.importer.kind,
            read=self.read,
            inserted=total.inserted,
            updated=total.updated,
            unchanged=total.unchanged,
            skipped=self.skipped,
            rejected=rejects.count,
            rejects_file=rejects.path,
            reasons=tuple(rejects.reasons.most_common(MOST_REASONS)),
            notes=(*self.opened.notes, *self.unknown.notes(), *_shortened(total)),
            merges=total.merges,
            conflicts=total.conflicts,
        )


def _turn(opened: Opened) -> int:
    return list(IMPORTERS).index(opened.importer.kind)


def _shortened(total: Outcome) -> Iterator[str]:
    """An order whose rows are divided among files would silently keep those of the last one only."""
    if total.shortened.count:
        yield (
            f"{total.shortened.count:,} orders came again without some of their lines, and lost them: "
            f"{', '.join(total.shortened.first)}; an order is replaced whole: give all its lines in one file"
        )


_TOO_MANY = Refused(f"is one of more than {MOST_BUNDLED:,} rows of one order, person or subscription")


def _width(fields: Sequence[str], width: int) -> Refused:
    spread = any("\n" in field for field in fields)
    advice = "; it runs over several lines: is a quote missing, or one too many?" if spread else ""
    return Refused(
        f"has {'more' if len(fields) > width else 'fewer'} fields than the header",
        f"{len(fields)} instead of {width}{advice}",
    )


def _targets(folder: Path, opened: Sequence[Opened]) -> list[Path]:
    """A rejects file for each source, none named like another of this import."""
    names: list[str] = []
    for each in opened:
        name, number = each.path.stem, 1
        while name in names:
            number += 1
            name = f"{each.path.stem}-{number}"
        names.append(name)
    return [folder / f"{name}.rejects.csv" for name in names]
