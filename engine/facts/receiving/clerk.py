"""Makes rows of what events say, by the columns of files."""

from typing import Any

from engine.facts.binding import ATTRIBUTE, attribute_column
from engine.facts.columns import Manner, Money, Reader, reader
from engine.facts.importers import IMPORTERS
from engine.facts.model import Place
from engine.facts.receiving.meanings import Meanings
from engine.facts.receiving.saying import Fact, Fields
from engine.facts.refusal import Refused
from engine.facts.values.instants import instants
from engine.facts.values.numbers import amounts


class Clerk:
    """One for each shop: its money, and what it calls the products of others."""

    def __init__(self, money: Money, meanings: Meanings) -> None:
        self.meanings = meanings
        self._manner = Manner(instants(None, None), amounts(), amounts(fine=12), money)
        self._readers = {
            kind: {column.name: reader(column, self._manner) for column in each.columns}
            for kind, each in IMPORTERS.items()
        }
        self._attributes: dict[str, Reader] = {}

    def row(self, fact: Fact, source: str, place: Place) -> Any:
        """Raises Refused, which names the column."""
        importer, fields = IMPORTERS[fact.kind], self._translated(fact.fields, source)
        said = [(name, its, fields.get(name, "")) for name, its in self._readers[fact.kind].items()]
        if importer.attributes:
            more = (name for name in fields if name.startswith(ATTRIBUTE))
            said += [(name, self._attribute(name), fields[name]) for name in more]
        values = [_value(name, its, text) for name, its, text in said]
        return importer.row(values, place, False)  # noqa: FBT003 - no credits here

    def check(self, kind: str, fields: Fields) -> None:
        """Read what is to stand in rows of a kind that cannot be made yet. Raises Refused."""
        for name, text in fields.items():
            _value(name, self._readers[kind][name], text)

    def _translated(self, fields: Fields, source: str) -> Fields:
        """With the sku that the shop has for what the source calls otherwise."""
        sku = fields.get("sku", "")
        ours = self.meanings.now(source, sku) if sku else ""
        return {**fields, "sku": ours} if ours != sku else fields

    def _attribute(self, name: str) -> Reader:
        if name not in self._attributes:
            self._attributes[name] = reader(attribute_column(name.removeprefix(ATTRIBUTE)), self._manner)
        return self._attributes[name]


def _value(name: str, its: Reader, text: str) -> Any:
    try:
        return its.one(text)
    except Refused as refused:
        raise refused.within(name) from refused
