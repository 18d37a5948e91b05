"""Has the facts of a batch of events land, by the hands of the importers of files.

So identity, currencies, transactions and the queue of changes are the same however a fact came. What an
importer refuses is parked with its reason, and costs no other event anything.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy import Connection

from engine.clock import span
from engine.facts.agreement import agree
from engine.facts.binding import ATTRIBUTE, attribute_column
from engine.facts.catalogue import Catalogue
from engine.facts.columns import Manner, Money, Reader, reader
from engine.facts.importers import IMPORTERS
from engine.facts.importers.importer import Landing
from engine.facts.importers.refunds import withdraw
from engine.facts.model import Place
from engine.facts.receiving import inbound
from engine.facts.receiving.dossiers import Dossier, Key, forget, load, require_possible, save
from engine.facts.receiving.inbound import APPLIED, IGNORED, PARKED, Told, Verdict
from engine.facts.receiving.saying import Fact, Fields, NotUnderstood, OfOrder, Said
from engine.facts.receiving.sources import SOURCES
from engine.facts.receiving.taking_up import UNKNOWN_KIND, Work, take_up
from engine.facts.refusal import Refused
from engine.facts.shelf import Shelf
from engine.facts.tombstones import Graveyard
from engine.facts.values.instants import instants
from engine.facts.values.numbers import amounts
from engine.settings import Settings
from engine.store.connect import Store
from engine.store.ids import IdFactory

AT_A_TIME = 500


@dataclass(frozen=True)
class Received:
    """What became of all the events that waited."""

    applied: int = 0
    ignored: int = 0
    parked: int = 0

    def as_json(self) -> dict[str, int]:
        return self.__dict__ | {}

    def __bool__(self) -> bool:
        return self != Received()

    def __str__(self) -> str:
        told = [f"{number:,} {name}" for name, number in self.__dict__.items() if number]
        return f"events: {', '.join(told)}"


def land_events(
    store: Store,
    settings: Settings,
    ids: IdFactory,
    now: datetime,
    *,
    size: int = AT_A_TIME,
    stop: Any = lambda: False,
) -> Received:
    """Take up all that sources of facts told, until `stop` says to end.

    Raises SettingsError where stored amounts are in another currency than the shop's.
    """
    with store.reading() as connection:
        if not inbound.waiting(connection, SOURCES, 1):
            return Received()
    agree(store, settings, ids)
    hall = Hall(settings, ids, now)
    made = take_up(Work(store, SOURCES, hall.apply, size), now, stop)
    return Received(made[APPLIED], made[IGNORED], made[PARKED])


class Clerk:
    """Makes rows of what events say, by the columns of files."""

    def __init__(self, money: Money, products: Mapping[str, str]) -> None:
        self._products = products
        self._manner = Manner(instants(None, None), amounts(), amounts(fine=12), money)
        self._readers = {
            kind: [(column.name, reader(column, self._manner)) for column in each.columns]
            for kind, each in IMPORTERS.items()
        }
        self._attributes: dict[str, Reader] = {}

    def row(self, fact: Fact, source: str, place: Place) -> Any:
        """Raises Refused, which names the column."""
        importer, fields = IMPORTERS[fact.kind], self._translated(fact.fields, source)
        said = [(name, its, fields.get(name, "")) for name, its in self._readers[fact.kind]]
        if importer.attributes:
            more = (name for name in fields if name.startswith(ATTRIBUTE))
            said += [(name, self._attribute(name), fields[name]) for name in more]
        values = []
        for name, its, text in said:
            try:
                values.append(its.one(text))
            except Refused as refused:
                raise refused.within(name) from refused
        return importer.row(values, place, False)  # noqa: FBT003 - no credits here

    def _translated(self, fields: Fields, source: str) -> Fields:
        """With the sku that the shop has for what the source calls otherwise."""
        ours = self._products.get(f"{source}:{fields.get('sku', '')}")
        return {**fields, "sku": ours} if ours else fields

    def _attribute(self, name: str) -> Reader:
        if name not in self._attributes:
            self._attributes[name] = reader(attribute_column(name.removeprefix(ATTRIBUTE)), self._manner)
        return self._attributes[name]


@dataclass
class Pile:
    """The rows of a batch by their kind, each with its place; and what stands behind each place."""

    rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    behind: list[Sequence[Told]] = field(default_factory=list)
    refused: dict[int, Refused] = field(default_factory=dict)  # the first refusal of each place
    erased: set[int] = field(default_factory=set)  # places of people who were erased

    def put(self, clerk: Clerk, facts: Iterable[Fact], events: Sequence[Told]) -> int:
        """Put these on the pile, all or none of them. Returns their place."""
        number = len(self.behind)
        self.behind.append(events)
        try:
            made = [(fact.kind, clerk.row(fact, events[0].source, (number, 0, 0))) for fact in facts]
        except Refused as refused:
            self.refused[number] = refused
        else:
            for kind, row in made:
                self.rows[kind].append(row)
        return number


class Hall:
    """Where batches of events become facts."""

    def __init__(self, settings: Settings, ids: IdFactory, now: datetime) -> None:
        currency = settings.shop.currency
        money = Money(currency, get_currency_precision(currency))
        window = span(settings.front_end.window)
        self._landing = Landing(now, ids, window, money, settings.zone, Shelf(None, Catalogue()))
        self._clerk = Clerk(money, settings.receiving.products)
        self._graves = Graveyard(settings)

    def apply(self, connection: Connection, batch: Sequence[Told]) -> dict[Told, Verdict]:
        """Land what the events say; what became of each."""
        verdicts, said = _read(batch)
        pile, speaking = Pile(), _speaking(said)
        files = _files(connection, speaking)
        for told, facts in said.items():
            pile.put(self._clerk, (fact for fact in facts if isinstance(fact, Fact)), [told])
        places = {
            key: pile.put(self._clerk, files[key].facts(), [told for told, _ in speaking[key]])
            for key in sorted(files)
        }
        self._land(connection, pile)
        void = [name for dossier in files.values() for name in dossier.void()]
        withdraw(connection, void, self._landing.ids)
        verdicts |= dict.fromkeys(said, Verdict(APPLIED))
        for number, refused in sorted(pile.refused.items()):
            verdicts |= dict.fromkeys(pile.behind[number], Verdict(PARKED, refused.reason))
        for key, number in places.items():
            self._settle(connection, files[key], pile, number)
        forget(connection, [key for key in files if places[key] in pile.erased])
        left = {key: each for key, each in files.items() if places[key] not in pile.erased}
        save(connection, left, self._landing.now)
        return verdicts

    def _land(self, connection: Connection, pile: Pile) -> None:
        for kind, importer in IMPORTERS.items():
            rows = self._graves.sift(connection, told := pile.rows.get(kind, []))
            pile.erased |= {row.place[0] for row in told} - {row.place[0] for row in rows}
            if rows:
                outcome = importer.land(connection, rows, self._landing)
                for place, refused in outcome.refused:
                    pile.refused.setdefault(place[0], refused)

    def _settle(self, connection: Connection, dossier: Dossier, pile: Pile, number: int) -> None:
        """Events that waited for others to come are applied once the order could land with them."""
        if number in pile.refused:
            parked = [told.event_id for told in pile.behind[number]]
            dossier.waits = sorted({*dossier.waits, *parked})
            return
        now = self._landing.now
        waited = [Told(dossier.source, event_id, now, "") for event_id in dossier.waits]
        inbound.mark(connection, dict.fromkeys(waited, Verdict(APPLIED)), now)
        dossier.waits = []


def _speaking(said: Mapping[Told, Said]) -> dict[Key, list[tuple[Told, OfOrder]]]:
    """Which events say what of each order."""
    found: dict[Key, list[tuple[Told, OfOrder]]] = {}
    for told, facts in said.items():
        for each in facts:
            if isinstance(each, OfOrder):
                found.setdefault((told.source, each.ref), []).append((told, each))
    return found


def _files(
    connection: Connection, speaking: Mapping[Key, Sequence[tuple[Told, OfOrder]]]
) -> dict[Key, Dossier]:
    """The dossiers of these orders, with what was told of them now."""
    files = load(connection, speaking)
    for key, events in speaking.items():
        for told, each in events:
            files[key].add(told, each)
    return files


def _facts(told: Told) -> Said:
    """What one event says. Raises NotUnderstood and Refused."""
    facts = SOURCES[told.source].read(json.loads(told.body), told.received_at)
    for each in facts:
        if isinstance(each, OfOrder):
            require_possible(each)
    return facts


def _read(batch: Iterable[Told]) -> tuple[dict[Told, Verdict], dict[Told, Said]]:
    """What can be read of the batch, and what became of the rest."""
    verdicts: dict[Told, Verdict] = {}
    said: dict[Told, Said] = {}
    for told in batch:
        try:
            facts = _facts(told)
        except NotUnderstood as error:
            verdicts[told] = Verdict(PARKED, str(error))
        except Refused as refused:
            verdicts[told] = Verdict(PARKED, refused.reason)
        except Exception as error:  # noqa: BLE001 - whatever it is, the events behind it are waited for
            verdicts[told] = Verdict(PARKED, f"it cannot be read: {type(error).__name__}")
        else:
            if facts:
                said[told] = facts
            else:
                verdicts[told] = Verdict(IGNORED, UNKNOWN_KIND)
    return verdicts, said
