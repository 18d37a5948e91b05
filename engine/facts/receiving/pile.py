"""The rows of a batch of events, and which events stand behind each of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.facts.receiving.clerk import Clerk
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.saying import Fact
from engine.facts.refusal import Refused


@dataclass
class Pile:
    """The rows by their kind, each with its place; and what stands behind each place."""

    rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    behind: list[Sequence[Told]] = field(default_factory=list)
    refused: dict[int, Refused] = field(default_factory=dict)  # the first refusal of each place
    unmade: set[int] = field(default_factory=set)  # places of which no rows could be made
    erased: set[int] = field(default_factory=set)  # places of people who were erased

    def put(self, clerk: Clerk, source: str, facts: Iterable[Fact], events: Sequence[Told]) -> int:
        """Put these on the pile, all or none of them. Returns their place."""
        number = len(self.behind)
        self.behind.append(events)
        try:
            made = [(fact.kind, clerk.row(fact, source, (number, 0, 0))) for fact in facts]
        except Refused as refused:
            self.refused[number] = refused
            self.unmade.add(number)
        else:
            for kind, row in made:
                self.rows[kind].append(row)
        return number
