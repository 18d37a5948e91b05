"""Why a rule holds for one customer, or does not: its tree with the actual values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from engine.rules.model import Condition, Not, Rule, Scope
from engine.store.tables import customers


@dataclass(frozen=True)
class Answer:
    """One rule, judged for one customer."""

    sentence: str
    holds: bool
    actual: str  # empty for groups
    parts: tuple["Answer", ...] = ()
    negates: bool = False

    def first_false(self) -> "Answer | None":
        """The first condition that keeps the rule from holding; of a `not`, the one that does hold."""
        if self.holds:
            return None
        if self.negates:
            return next(self.parts[0].true_leaves(), self)
        return next((leaf for part in self.parts if (leaf := part.first_false())), self)

    def true_leaves(self) -> Iterator["Answer"]:
        if self.holds and not self.parts:
            yield self
        for part in self.parts:
            yield from part.true_leaves()

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"sentence": self.sentence, "holds": self.holds}
        if self.actual:
            said["actual"] = self.actual
        if self.parts:
            said["parts"] = [part.as_json() for part in self.parts]
        return said


def explain(connection: Connection, rule: Rule, scope: Scope, customer_id: int) -> Answer:
    """Judge each part of the rule for one customer, by the very SQL that judges everybody."""
    scope = scope.each()
    test = select(rule.test(scope)).where(customers.c.customer_id == customer_id)
    return Answer(
        sentence=rule.sentence(scope),
        holds=bool(connection.scalar(test)),
        actual=actual(connection, rule, scope, customer_id),
        parts=tuple(explain(connection, part, scope, customer_id) for part in rule.parts(scope)),
        negates=isinstance(rule, Not),
    )


def actual(connection: Connection, rule: Rule, scope: Scope, customer_id: int) -> str:
    """What a condition looks at, in words; nothing for rules joined together."""
    if not isinstance(rule, Condition):
        return ""
    row = connection.execute(rule.actual(scope, customer_id)).mappings().one()
    return rule.tell(dict(row), scope)


def actuals(connection: Connection, rule: Rule, scope: Scope, customer_ids: Sequence[int]) -> dict[int, str]:
    """The same of many, by one statement."""
    if not isinstance(rule, Condition):
        return dict.fromkeys(customer_ids, "")
    if not customer_ids:
        return {}
    who = customers.alias("who")
    asked = rule.actual(scope, who.c.customer_id)
    columns = list(asked.selected_columns)
    if asked.get_final_froms():
        columns = [
            asked.with_only_columns(column).correlate(who).scalar_subquery().label(column.name)
            for column in columns
        ]
    rows = connection.execute(
        select(who.c.customer_id, *columns).where(who.c.customer_id.in_(customer_ids))
    ).all()
    names = [column.name for column in columns]
    return {row[0]: rule.tell(dict(zip(names, row[1:], strict=True)), scope) for row in rows}
