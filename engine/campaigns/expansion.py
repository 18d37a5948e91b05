"""How large a rule is with its segments written out, counted without writing them out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.clock import EPOCH
from engine.rules.conditions.segment import Segment
from engine.rules.model import Rule, Scope

MOST = 1_000  # a statement holds all of them
TOO_LARGE = f"more than {MOST:,} rules, with its segments written out"
HINT = "each mention of a segment counts all that it is made of: mention it once, or make it smaller"


@dataclass
class Sizes:
    """The sizes of rules over these segments; each segment is counted once, however often it is named."""

    segments: Mapping[str, Rule]
    _known: dict[str, int] = field(default_factory=dict)

    def too_large(self, rule: Rule) -> bool:
        return self.of(rule) > MOST

    def of(self, rule: Rule) -> int:
        """The rule itself and all that it is made of."""
        if isinstance(rule, Segment):
            return 1 + self.named(rule.name)
        return 1 + sum(map(self.of, rule.parts(Scope(EPOCH))))

    def named(self, name: str) -> int:
        """The size of a segment; an unknown one, or a circle, is told elsewhere and counts nothing."""
        if name not in self._known:
            self._known[name] = 0
            self._known[name] = self.of(self.segments[name]) if name in self.segments else 0
        return self._known[name]
