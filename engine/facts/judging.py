"""Records of a file as rows of its kind, many at once, or the reasons why not."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from engine.facts.columns import Plan
from engine.facts.importers.importer import Importer
from engine.facts.reading import Record
from engine.facts.refusal import Refused

R = TypeVar("R", bound=Any)
Refusals = list[tuple[Record, Refused]]


class Judged(NamedTuple, Generic[R]):
    """What became of some records."""

    rows: list[R]
    refused: Refusals  # in the order of the file
    skipped: int  # as the map says


class Judge(Generic[R]):
    """Judges the records of one file by its plan."""

    def __init__(self, importer: Importer[R], plan: Plan) -> None:
        self._importer = importer
        self._plan = plan

    def judge(self, records: Sequence[Record]) -> Judged[R]:
        """The rows of these records, and of those that can be none the reasons."""
        refused: Refusals = []
        whole = self._whole(records, refused)
        wanted = self._wanted(whole)
        rows = list(self._rows(self._valued(wanted, refused), refused))
        refused.sort(key=lambda each: each[0].place)
        return Judged(rows, refused, len(whole) - len(wanted))

    def order(self, record: Record) -> str:
        """The order that a refused record is of, as far as it can be read."""
        fields = record.fields
        return self._plan.value("order_id", fields) or ""

    def _whole(self, records: Iterable[Record], refused: Refusals) -> list[Record]:
        """Those that have as many fields as the header, and beside them what the map joins."""
        width, found = self._plan.width, []
        for record in records:
            if record.defect:
                refused.append((record, Refused(record.defect)))
            elif len(record.fields) != width:
                refused.append((record, _width(record.fields, width)))
            else:
                found.append(record)
        if self._plan.joins:
            found = [record._replace(fields=self._plan.joined(record.fields)) for record in found]
        return found

    def _wanted(self, records: list[Record]) -> list[Record]:
        skip = self._plan.skip
        return [record for record in records if not skip(record.fields)] if skip else records

    def _valued(self, records: Sequence[Record], refused: Refusals) -> Iterable[tuple[Record, Sequence[Any]]]:
        """Column by column; only where one of the records is wrong they are looked at one by one."""
        try:
            return zip(records, self._plan.table([record.fields for record in records]), strict=True)
        except Refused:
            return self._one_by_one(records, refused)

    def _one_by_one(
        self, records: Iterable[Record], refused: Refusals
    ) -> Iterable[tuple[Record, Sequence[Any]]]:
        for record in records:
            try:
                yield record, self._plan.values(record.fields)
            except Refused as reason:
                refused.append((record, reason))

    def _rows(self, valued: Iterable[tuple[Record, Sequence[Any]]], refused: Refusals) -> Iterable[R]:
        make, credit = self._importer.row, self._plan.credit
        for record, values in valued:
            try:
                yield make(values, record.place, credit is not None and credit(record.fields))
            except Refused as reason:
                refused.append((record, reason))


def _width(fields: Sequence[str], width: int) -> Refused:
    spread = any("\n" in field for field in fields)
    advice = "; it runs over several lines: is a quote missing, or one too many?" if spread else ""
    return Refused(
        f"has {'more' if len(fields) > width else 'fewer'} fields than the header",
        f"{len(fields)} instead of {width}{advice}",
    )
