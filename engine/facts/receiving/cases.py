"""One order among the events of a batch: its dossier, and which of them speak of which part of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.facts.importers.importer import Nobody
from engine.facts.receiving.dossier import ORDER, Dossier, parts_of
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.pile import Pile
from engine.facts.receiving.saying import OfOrder
from engine.facts.refusal import Refused


@dataclass
class Case:
    """The dossier with what was told now, and how it was `before`; `behind` and `places` are by part.

    `taken_back`: it is as it was before.
    """

    dossier: Dossier
    before: dict[str, Any]
    behind: dict[str, list[Told]]
    places: dict[str, int] = field(default_factory=dict)
    taken_back: bool = False

    @classmethod
    def of(cls, dossier: Dossier, events: Sequence[tuple[Told, OfOrder]]) -> "Case":
        """Add to the dossier what these events say."""
        before, behind = dict(dossier.said), dict[str, list[Told]]()
        for told, each in events:
            dossier.add(told, each)
            for part in parts_of(each):
                behind.setdefault(part, []).append(told)
        return cls(dossier, before, behind)

    def judge(self, pile: Pile) -> Sequence[Told]:
        """Let go of what an event says that cannot be. Its events, where others would be let go with it."""
        refused = pile.refused.get(self.places[ORDER])
        if self.places[ORDER] in pile.erased:
            for number in self.places.values():
                pile.refused.pop(number, None)
        elif isinstance(refused, Nobody):
            pile.refused |= dict.fromkeys(self.places.values(), refused)
        elif any(self._impossible(part, pile) for part in self.behind):
            events = dict.fromkeys(told for part in self.behind.values() for told in part)
            if len(events) > 1:
                return sorted(events, key=lambda told: (told.received_at, told.event_id))
            self.dossier.said = self.before
            self.behind, self.taken_back = {}, True
        return ()

    def _impossible(self, part: str, pile: Pile) -> bool:
        """Whether it was refused for itself: a refund may also wait for its order, or for a better one."""
        number = self.places[part]
        return number in (pile.refused if part == ORDER else pile.unmade)

    def erased(self, pile: Pile) -> bool:
        """Whether it is of somebody who was erased."""
        return self.places[ORDER] in pile.erased

    def settle(self, pile: Pile) -> Iterator[tuple[str, Refused | None]]:
        """How the events stand that waited before: by the reason of the part that each still waits for."""
        waits = self.dossier.waits
        before = {event_id for ids in waits.values() for event_id in ids}
        for part, number in self.places.items():
            waits[part] = self._waiting(part) if number in pile.refused else []
        self.dossier.waits = {part: ids for part, ids in waits.items() if ids}
        still: dict[str, str] = {}
        for part, ids in self.dossier.waits.items():
            still |= {event_id: part for event_id in ids if event_id not in still}
        for event_id in sorted(before):
            yield event_id, pile.refused[self.places[still[event_id]]] if event_id in still else None

    def _waiting(self, part: str) -> list[str]:
        now = [told.event_id for told in self.behind.get(part, ())]
        return sorted({*self.dossier.waits.get(part, ()), *now})
