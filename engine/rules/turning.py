"""Why a rule holds one customer at one of two instants and not at the other: the clause that turned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from engine.rules.explain import Answer, actuals
from engine.rules.model import Not, Rule, Scope
from engine.rules.people import is_customer, known
from engine.store.tables import customers


class Turn(NamedTuple):
    """One clause, as it was judged at the earlier and at the later instant."""

    before: Answer
    after: Answer

    @property
    def sentence(self) -> str:
        return self.after.sentence

    def as_json(self) -> Mapping[str, Any]:
        judged = {when: {"holds": a.holds, "actual": a.actual} for when, a in self._asdict().items()}
        return {"sentence": self.sentence, **judged}


@dataclass(frozen=True)
class Between:
    """Two instants as the scopes that rules are judged in, over one open connection."""

    connection: Connection
    before: Scope
    after: Scope

    def turns(self, rule: Rule, customer_ids: Sequence[int]) -> Mapping[int, Turn]:
        """Of each the first clause that turned: that they are known, the rule's own, that they are customers.

        Those are left out of whom all of them answer the same at both instants. Each clause is asked of
        all at once whom it may concern.
        """
        found = self._plain("is known", customer_ids, known(self.before), known(self.after))
        found |= self._of_rule(rule, [one for one in customer_ids if one not in found])
        left = [one for one in customer_ids if one not in found]
        return found | self._plain("is a customer", left, *map(is_customer, self._each))

    @property
    def _each(self) -> tuple[Scope, Scope]:
        return self.before.each(), self.after.each()

    def _plain(
        self,
        sentence: str,
        customer_ids: Sequence[int],
        before: ColumnElement[bool],
        after: ColumnElement[bool],
    ) -> dict[int, Turn]:
        """What is no condition, and so has no values to tell."""
        return {
            one: Turn(*(Answer(sentence, held, "") for held in judged))
            for one, judged in self._answers(customer_ids, before, after).items()
            if judged[0] != judged[1]
        }

    def _of_rule(self, rule: Rule, customer_ids: Sequence[int]) -> dict[int, Turn]:
        judged = self._judged(rule, customer_ids)
        found: dict[int, Turn] = {}
        for holds in (True, False):
            turned = [one for one in customer_ids if judged[one] == (not holds, holds)]
            found |= self._clause(rule, turned, holds=holds)
        return found

    def _clause(self, rule: Rule, customer_ids: Sequence[int], *, holds: bool) -> dict[int, Turn]:
        """Of a rule that turned and now holds or not: its first part that turned with it, to the leaf."""
        wanted = holds != isinstance(rule, Not)
        found: dict[int, Turn] = {}
        for part in rule.parts(self.after):
            left = [one for one in customer_ids if one not in found]
            judged = self._judged(part, left)
            turned = [one for one in left if judged[one] == (not wanted, wanted)]
            found |= self._clause(part, turned, holds=wanted)
        return found | self._told(rule, [one for one in customer_ids if one not in found], holds=holds)

    def _told(self, rule: Rule, customer_ids: Sequence[int], *, holds: bool) -> dict[int, Turn]:
        sentence = rule.sentence(self.after)
        before, after = (actuals(self.connection, rule, scope, customer_ids) for scope in self._each)
        return {
            one: Turn(Answer(sentence, not holds, before[one]), Answer(sentence, holds, after[one]))
            for one in customer_ids
        }

    def _judged(self, rule: Rule, customer_ids: Sequence[int]) -> dict[int, tuple[bool, bool]]:
        return self._answers(customer_ids, *map(rule.test, self._each))

    def _answers(
        self, customer_ids: Sequence[int], before: ColumnElement[bool], after: ColumnElement[bool]
    ) -> dict[int, tuple[bool, bool]]:
        if not customer_ids:
            return {}
        asked = select(customers.c.customer_id, before.label("before"), after.label("after"))
        rows = self.connection.execute(asked.where(customers.c.customer_id.in_(customer_ids)))
        return {row.customer_id: (bool(row.before), bool(row.after)) for row in rows}
