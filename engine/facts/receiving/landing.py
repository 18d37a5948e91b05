"""Has the facts of a batch of events land, by the hands of the importers of files.

So identity, currencies, transactions and the queue of changes are the same however a fact came. What an
importer refuses is parked with its reason, and costs no other event anything.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy import Connection

from engine.clock import span
from engine.facts.agreement import agree
from engine.facts.catalogue import Catalogue
from engine.facts.columns import Money
from engine.facts.importers import IMPORTERS
from engine.facts.importers.importer import Landing, Nobody
from engine.facts.receiving import inbound
from engine.facts.receiving.cases import Case
from engine.facts.receiving.clerk import Clerk
from engine.facts.receiving.dossier import ORDER, Dossier
from engine.facts.receiving.dossiers import forget, load, save
from engine.facts.receiving.inbound import APPLIED, IGNORED, NOBODY, PARKED, TEST, Told, Verdict
from engine.facts.receiving.meanings import KEYED, Meanings, learn, let_go
from engine.facts.receiving.pile import Pile
from engine.facts.receiving.punctual import not_later
from engine.facts.receiving.saying import Fact, NotUnderstood, NotWanted, OfOrder, OfTest, Said
from engine.facts.receiving.sources import SOURCES
from engine.facts.receiving.sources.source import Hook
from engine.facts.receiving.taking_up import UNKNOWN_KIND, Apart, Work, take_up
from engine.facts.receiving.two_numbers import Speaking, hand_over, others
from engine.facts.refusal import Refused
from engine.facts.shelf import Shelf
from engine.facts.tombstones import Graveyard
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.ids import IdFactory

AT_A_TIME = 500


@dataclass(frozen=True)
class Received:
    """What became of all the events that waited."""

    applied: int = 0
    ignored: int = 0
    parked: int = 0
    nobody: int = 0  # what shops told of somebody without a name
    test: int = 0  # what its sender marks as a test

    def as_json(self) -> dict[str, int]:
        return self.__dict__ | {}

    def __bool__(self) -> bool:
        return self != Received()

    def __str__(self) -> str:
        words = {NOBODY: "of nobody", TEST: "of tests"}
        told = [f"{number:,} {words.get(name, name)}" for name, number in self.__dict__.items() if number]
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
    hall = Hall(settings, ids, now, learn(store, settings.receiving.products))
    made = take_up(Work(store, SOURCES, hall.apply, size), now, stop)
    return Received(made[APPLIED], made[IGNORED], made[PARKED], made[NOBODY], made[TEST])


class Hall:
    """Where batches of events become facts."""

    def __init__(self, settings: Settings, ids: IdFactory, now: datetime, meanings: Meanings) -> None:
        currency = settings.shop.currency
        money = Money(currency, get_currency_precision(currency))
        window = span(settings.front_end.window)
        self._landing = Landing(now, ids, window, money, settings.zone, Shelf(None, Catalogue()))
        self._clerk = Clerk(money, meanings)
        self._graves = Graveyard(settings)
        self._takes_tests = settings.receiving.test_sales

    def apply(self, connection: Connection, batch: Sequence[Told]) -> dict[Told, Verdict]:
        """Land what the events say; what became of each, and of those that waited for them. Raises Apart."""
        verdicts, said = self._read(batch)
        pile, cases = Pile(), self._cases(connection, said)
        for told, facts in said.items():
            own = (fact for fact in facts if isinstance(fact, Fact))
            pile.put(self._clerk, told.source, own, [told])
        for case in cases:
            self._put(pile, case)
        self._land(connection, pile)
        if apart := [events for case in cases if (events := case.judge(pile))]:
            raise Apart(apart)
        waited = self._settle(connection, cases, pile)
        refused = _refusals(pile)
        self._let_go(connection, {told: facts for told, facts in said.items() if told not in refused})
        batched = {(told.source, told.event_id) for told in batch}
        earlier = {told: each for told, each in waited.items() if (told.source, told.event_id) not in batched}
        return earlier | verdicts | dict.fromkeys(said, Verdict(APPLIED)) | refused

    def _read(self, batch: Iterable[Told]) -> tuple[dict[Told, Verdict], dict[Told, Said]]:
        """What can be read of the batch, and what became of the rest."""
        verdicts: dict[Told, Verdict] = {}
        said: dict[Told, Said] = {}
        for told in batch:
            try:
                facts = self._said(told)
            except OfTest as error:
                verdicts[told] = Verdict(TEST, str(error))
            except (NotUnderstood, NotWanted) as error:
                verdicts[told] = Verdict(IGNORED if isinstance(error, NotWanted) else PARKED, str(error))
            except Refused as refused:
                verdicts[told] = Verdict(PARKED, refused.told)
            except Exception as error:  # noqa: BLE001 - whatever it is, the events behind it are waited for
                verdicts[told] = Verdict(PARKED, f"it cannot be read: {type(error).__name__}")
            else:
                if facts:
                    said[told] = facts
                else:
                    verdicts[told] = Verdict(IGNORED, UNKNOWN_KIND)
        return verdicts, said

    def _said(self, told: Told) -> Said:
        """What one event says. Raises NotUnderstood, NotWanted and Refused."""
        source, event = SOURCES[told.source], json.loads(told.body)
        if source.is_test(event) and not self._takes_tests:
            raise OfTest
        facts = not_later(source.read(event, told.received_at), told.received_at)
        for each in facts:
            if isinstance(each, OfOrder):
                for number in (each.ref, each.same_as or each.ref):
                    self._clerk.check("orders", {"order_id": number})
        return facts

    def _cases(self, connection: Connection, said: Mapping[Told, Said]) -> list[Case]:
        """The orders that the events speak of, with what was told of them now."""
        speaking: Speaking = {}
        for told, facts in said.items():
            for each in facts:
                if isinstance(each, OfOrder):
                    speaking.setdefault((told.source, each.ref), []).append((told, each))
        home = self._landing.money.currency
        files = load(connection, speaking, home)
        if which := others(files, speaking):
            files |= load(connection, set(which.values()) - files.keys(), home)
            left = hand_over(files, speaking, which)
            save(connection, {(each.source, each.ref): each for each in left}, self._landing.now)
        return [Case.of(files[key], events) for key, events in sorted(speaking.items())]

    def _let_go(self, connection: Connection, said: Mapping[Told, Said]) -> None:
        """What events that were applied before told under another product than they tell of now."""
        meanings = self._clerk.meanings
        again = inbound.again(connection, said) if meanings.known else ()
        facts = ((told.source, each) for told in again for each in said[told] if isinstance(each, Fact))
        outdated = [
            (fact.kind, self._clerk.row(fact, source, (0, 0, 0)), before)
            for source, fact in facts
            if fact.kind in KEYED and (before := meanings.before(source, fact.fields.get("sku", "")))
        ]
        let_go(connection, outdated, self._landing.ids)

    def _put(self, pile: Pile, case: Case) -> None:
        for part in case.dossier.parts:
            facts = self._facts(case.dossier, part)
            events = case.behind.get(part, ())
            case.places[part] = pile.put(self._clerk, case.dossier.source, facts, events)

    def _facts(self, dossier: Dossier, part: str) -> Iterator[Fact]:
        """An order without lines makes no rows; what is said of it must be readable all the same."""
        if part == ORDER:
            self._clerk.check("orders", dossier.head)
        yield from dossier.facts(part)

    def _land(self, connection: Connection, pile: Pile) -> None:
        for kind, importer in IMPORTERS.items():
            rows = self._graves.sift(connection, told := pile.rows.get(kind, []))
            pile.erased |= {row.place[0] for row in told} - {row.place[0] for row in rows}
            if rows:
                outcome = importer.land(connection, rows, self._landing)
                for place, refused in outcome.refused:
                    pile.refused.setdefault(place[0], refused)

    def _land_as_before(self, connection: Connection, cases: Iterable[Case]) -> None:
        """Of what cannot be, something may have landed: it is as if that had never been told."""
        pile = Pile()
        for case in cases:
            for part in case.dossier.parts:
                pile.put(self._clerk, case.dossier.source, self._facts(case.dossier, part), ())
        self._land(connection, pile)

    def _settle(self, connection: Connection, cases: Sequence[Case], pile: Pile) -> dict[Told, Verdict]:
        """Events that waited for others to come are applied once their part could land with them."""
        now = self._landing.now
        self._land_as_before(connection, [case for case in cases if case.taken_back])
        waited = {
            (told := Told(case.dossier.source, event_id, now, "")): _verdict(told, refused)
            for case in cases
            for event_id, refused in case.settle(pile)
        }
        files = {(each.dossier.source, each.dossier.ref): each.dossier for each in cases}
        gone = {(each.dossier.source, each.dossier.ref) for each in cases if each.erased(pile)}
        forget(connection, gone)
        save(connection, {key: files[key] for key in files.keys() - gone}, now)
        return waited


def _refusals(pile: Pile) -> dict[Told, Verdict]:
    """What became of the events behind places that were refused, by the first refusal of each event."""
    found: dict[Told, Verdict] = {}
    for number, refused in sorted(pile.refused.items()):
        for told in pile.behind[number]:
            found.setdefault(told, _verdict(told, refused))
    return found


def _verdict(told: Told, refused: Refused | None) -> Verdict:
    """Shops sell to people without a name: what a shop tells of nobody is no mistake."""
    if refused is None:
        return Verdict(APPLIED)
    nobody = isinstance(refused, Nobody) and isinstance(SOURCES[told.source], Hook)
    return Verdict(NOBODY if nobody else PARKED, refused.told)
