"""Why a rule holds one customer at one of two instants and not at the other: the clause that turned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from engine.rules.explain import Answer, actual
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

    def turn(self, rule: Rule, customer_id: int) -> Turn | None:
        """The first clause that turned: that the person is known, the rule's own, that they are a customer.

        None where all of them answer the same at both instants.
        """
        return (
            self._plain("is known", customer_id, known(self.before), known(self.after))
            or self._of_rule(rule, customer_id)
            or self._plain("is a customer", customer_id, *map(is_customer, self._each))
        )

    @property
    def _each(self) -> tuple[Scope, Scope]:
        return self.before.each(), self.after.each()

    def _plain(
        self, sentence: str, customer_id: int, before: ColumnElement[bool], after: ColumnElement[bool]
    ) -> Turn | None:
        """What is no condition, and so has no values to tell."""
        answers = [Answer(sentence, held, "") for held in self._answers(customer_id, before, after)]
        return Turn(*answers) if answers[0] != answers[1] else None

    def _of_rule(self, rule: Rule, customer_id: int) -> Turn | None:
        before, after = self._judged(rule, customer_id)
        return self._clause(rule, customer_id, holds=after) if before != after else None

    def _clause(self, rule: Rule, customer_id: int, *, holds: bool) -> Turn:
        """Of a rule that turned and now holds or not: its first part that turned with it, to the leaf."""
        wanted = holds != isinstance(rule, Not)
        for part in rule.parts(self.after):
            if self._judged(part, customer_id) == (not wanted, wanted):
                return self._clause(part, customer_id, holds=wanted)
        told = [actual(self.connection, rule, scope, customer_id) for scope in self._each]
        sentence = rule.sentence(self.after)
        return Turn(Answer(sentence, not holds, told[0]), Answer(sentence, holds, told[1]))

    def _judged(self, rule: Rule, customer_id: int) -> tuple[bool, bool]:
        return self._answers(customer_id, *map(rule.test, self._each))

    def _answers(
        self, customer_id: int, before: ColumnElement[bool], after: ColumnElement[bool]
    ) -> tuple[bool, bool]:
        asked = select(before.label("before"), after.label("after"))
        row = self.connection.execute(asked.where(customers.c.customer_id == customer_id)).one()
        return bool(row.before), bool(row.after)
