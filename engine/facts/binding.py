"""A kind of file meets a header: which field becomes which value. Every misfit is told, none alone."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.facts.columns import Always, Column, Manner, Money, Plan, Reader, Step, Test, plain, reader
from engine.facts.importers.importer import Importer
from engine.facts.mapping import MapSpec, Origin, When
from engine.facts.refusal import Refused
from engine.facts.values.instants import instants
from engine.facts.values.numbers import amounts
from engine.facts.values.words import passage
from engine.registry import did_you_mean

ATTRIBUTE = "attribute."
MOST_NAME, MOST_VALUE = 100, 500  # characters of an attribute's name and value
Path = tuple[str | int, ...]
Complain = Callable[[Path, str, str | None], None]
Tidy = Callable[[str], str]
_FLOAT_ID = re.compile(r"(\d+)\.0+", re.ASCII)


def bind(
    importer: Importer[Any], header: Sequence[str], spec: MapSpec, money: Money, complain: Complain
) -> Plan:
    """The plan by which the rows under this header are read as the map says.

    Each misfit goes to `complain`, with its path in the map; after any, the plan is not to be used.
    """
    binder = _Binder(importer, header, spec, money, complain)
    binder.complain_of_names()
    return binder.plan()


class _Binder:
    def __init__(
        self, importer: Importer[Any], header: Sequence[str], spec: MapSpec, money: Money, complain: Complain
    ) -> None:
        self._importer = importer
        self._header = {name: index for index, name in enumerate(header)}
        self._spec = spec
        self._money = money
        self._complain = complain
        self._columns = {column.name: column for column in importer.columns}
        self._sources = {**spec.fields, **{k: Origin(constant=v) for k, v in spec.constants.items()}}
        self._attributes = [name for name in self._sources if self._is_attribute(name)]
        self._joins: list[list[int]] = []
        self._spots: dict[str, tuple[int, Sequence[Tidy]]] = {}  # where the text of a name is found

    def complain_of_names(self) -> None:
        """Names that are unknown, said twice, or missing."""
        kind = self._importer.kind
        for name in self._sources.keys() - self._columns.keys() - set(self._attributes):
            msg = f"a file of {kind} has no column {name!r}"
            self._complain(self._path(name), msg, did_you_mean(name, self._columns))
        for name in self._spec.fields.keys() & self._spec.constants.keys():
            self._complain(("constants", name), f"{name!r} stands under fields too", None)
        for names in self._importer.needs:
            if not self._sources.keys() & set(names):
                msg = f"a file of {kind} needs the column {' or '.join(map(repr, names))}"
                self._complain(("fields",), msg, None)
        if self._spec.credits and not self._importer.credits:
            self._complain(("credits",), f"a file of {kind} has no credits", None)

    def plan(self) -> Plan:
        return Plan(
            width=len(self._header),
            steps=[self._step(name) for name in (*self._columns, *self._attributes)],
            joins=self._joins,
            skip=self._test(self._spec.skip, "skip"),
            credit=self._test(self._spec.credits, "credits"),
        )

    def _step(self, name: str) -> Step:
        source, column = self._sources.get(name), self._column(name)
        if source is None:
            return Step(name, Always(column.blank))
        its = reader(column, self._manner(name, source), self._tidying(source))
        if source.constant is not None:
            return Step(name, Always(self._constant(name, its, source.constant)))
        return Step(name, its, self._index(name, source))

    def _is_attribute(self, name: str) -> bool:
        length = len(name) - len(ATTRIBUTE)
        return self._importer.attributes and name.startswith(ATTRIBUTE) and 0 < length <= MOST_NAME

    def _path(self, name: str) -> Path:
        return ("fields" if name in self._spec.fields else "constants", name)

    def _column(self, name: str) -> Column:
        return self._columns.get(name) or attribute_column(name.removeprefix(ATTRIBUTE))

    def _manner(self, name: str, source: Origin) -> Manner:
        dates, numbers = self._spec.dates, self._spec.numbers
        if (source.format or source.zone) and not self._column(name).instant:
            self._complain(self._path(name), f"{name} is no instant: format and zone mean nothing here", None)
        zone = source.place or dates.place
        written = numbers.model_dump()
        moments = instants(source.format or dates.format, zone)
        return Manner(moments, amounts(**written), amounts(**written, fine=12), self._money)

    def _tidying(self, source: Origin) -> list[Tidy]:
        words: list[Tidy] = [_TIDY[name] for name in source.clean]
        return [*words, _translated(source.values)] if source.values else words

    def _constant(self, name: str, its: Reader, text: str) -> Any:
        try:
            return its.one(text)
        except Refused as refused:
            self._complain(self._path(name), str(refused.within(name)), None)
            return None

    def _index(self, name: str, source: Origin) -> int:
        """Where the text stands in a row to which the joins have been appended."""
        if source.column is not None:
            index = self._place((*self._path(name), "column"), source.column)
        else:
            index = len(self._header) + len(self._joins)
            self._joins.append([self._place((*self._path(name), "join"), part) for part in source.join])
        self._spots[name] = index, self._tidying(source)
        return index

    def _place(self, path: Path, column: str) -> int:
        if column not in self._header:
            self._complain(path, f"the file has no column {column!r}", did_you_mean(column, self._header))
        return self._header.get(column, 0)

    def _test(self, when: When | None, key: str) -> Test | None:
        if when is None:
            return None
        for name in when.when.keys() - self._spots.keys():
            msg = f"{name!r} is not among the fields that come from a column"
            self._complain((key, "when", name), msg, did_you_mean(name, self._spots))
        asked = [
            (*self._spots[name], match.holds) for name, match in when.when.items() if name in self._spots
        ]
        return lambda fields: all(holds(_tidied(fields[index], tidy)) for index, tidy, holds in asked)


def attribute_column(name: str) -> Column:
    """A column whose value is a pair: the attribute's name with its value, None where blank."""
    value = passage(MOST_VALUE)
    return Column(name, plain(lambda text: (name, value(text))), blank=None)


def _tidied(text: str, tidying: Sequence[Tidy]) -> str:
    text = text.strip()
    for tidy in tidying:
        text = tidy(text)
    return text


def _translated(values: Mapping[str, str]) -> Tidy:
    return lambda text: values.get(text, text)


def _float_id(text: str) -> str:
    """A number that a spreadsheet made of an id, as the id again: 17850.0 → 17850."""
    match = _FLOAT_ID.fullmatch(text)
    return match[1] if match else text


_TIDY: Mapping[str, Tidy] = {"float_id": _float_id, "lower": str.lower, "upper": str.upper}
