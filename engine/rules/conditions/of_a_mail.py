"""What `received`, `opened` and `clicked` share: they ask about the mails of a campaign, or of its step."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple

from pydantic import Field
from sqlalchemy import ColumnElement, and_, func, select

from engine.registry import did_you_mean
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Scope, StepNames
from engine.rules.words import TimeWords, ago, times


class Kept(NamedTuple):
    """Where it is written down: the columns of a table, its time, and which of its rows tell of it."""

    columns: Any
    at: ColumnElement[Any]
    such: ColumnElement[bool]


class OfAMail(Condition, TimeWords):
    """It happened at least once within the span. The condition's own key is what is said of it."""

    counted: ClassVar[str]  # what there are several of, where it happened several times

    campaign: str = Field(description="the campaign's id")
    step: str | None = Field(None, description="this step of it")

    @abstractmethod
    def kept(self, scope: Scope) -> Kept:
        """Where to look it up."""

    def campaign_complaints(self, campaigns: StepNames) -> Iterator[Complaint]:
        if self.campaign not in campaigns:
            hint = did_you_mean(self.campaign, campaigns) or "write the id as its file does"
            yield Complaint("campaign", f"unknown campaign {self.campaign!r}", hint)
        elif self.step is not None and self.step not in campaigns[self.campaign]:
            nearest = did_you_mean(self.step, campaigns[self.campaign])
            yield Complaint("step", f"{self.campaign!r} has no step {self.step!r}", nearest)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return scope.among(self._theirs(scope).where(self.during(self.kept(scope).at, scope)))

    def _theirs(self, scope: Scope) -> CustomerIds:
        return select(self.kept(scope).columns.customer_id).where(self._is_meant(scope))

    def _is_meant(self, scope: Scope) -> ColumnElement[bool]:
        columns, _, such = self.kept(scope)
        meant = [columns.campaign_id == scope.first_id(self.campaign), such]
        if self.step is not None:
            meant.append(columns.step_id == scope.first_id(self.campaign, self.step))
        return and_(*meant)

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return self.crossed(self._theirs(scope), self.kept(scope).at, scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return (
            isinstance(other, type(self))
            and other.campaign == self.campaign
            and other.step in (None, self.step)
            and self.looser(other)
        )

    def sentence(self, scope: Scope) -> str:
        which = f"a mail of {self.campaign!r}" if self.step is None else f"{self.step!r} of {self.campaign!r}"
        return f"{self.key} {which}{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        columns, at, _ = self.kept(scope)
        return select(func.count().label("number"), func.max(at, type_=at.type).label("last")).where(
            columns.customer_id == customer_id, self._is_meant(scope), at <= scope.moment()
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        if row["last"] is None:
            return f"never {self.key}"
        return f"{self.key} {times(row['number'], self.counted)}, last {ago(row['last'], scope.now)}"
