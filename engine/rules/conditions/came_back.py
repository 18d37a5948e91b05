"""What `opened` and `clicked` share: something that a provider told of a mail of a campaign."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, and_, func, select

from engine.facts.mail_events import Kind
from engine.registry import did_you_mean
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Scope, StepNames
from engine.rules.words import TimeWords, ago, times
from engine.store.tables import mail_events

TOLD = mail_events.c


class CameBack(Condition, TimeWords):
    """One kind of event of the mails of a campaign, or of one of its steps."""

    kind: ClassVar[Kind]

    campaign: str = Field(description="the campaign's id")
    step: str | None = Field(None, description="this step of it")

    def campaign_complaints(self, campaigns: StepNames) -> Iterator[Complaint]:
        if self.campaign not in campaigns:
            hint = did_you_mean(self.campaign, campaigns) or "write the id as its file does"
            yield Complaint("campaign", f"unknown campaign {self.campaign!r}", hint)
        elif self.step is not None and self.step not in campaigns[self.campaign]:
            nearest = did_you_mean(self.step, campaigns[self.campaign])
            yield Complaint("step", f"{self.campaign!r} has no step {self.step!r}", nearest)

    def test(self, scope: Scope) -> ColumnElement[bool]:
        return scope.among(self._theirs(scope).where(self.during(TOLD.at, scope)))

    def _theirs(self, scope: Scope) -> CustomerIds:
        return select(TOLD.customer_id).where(self._is_meant(scope))

    def _is_meant(self, scope: Scope) -> ColumnElement[bool]:
        meant = [TOLD.campaign_id == scope.first_id(self.campaign), TOLD.kind == self.kind.value]
        if self.step is not None:
            meant.append(TOLD.step_id == scope.first_id(self.campaign, self.step))
        return and_(*meant)

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        return self.crossed(self._theirs(scope), TOLD.at, scope)

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
        last = func.max(TOLD.at, type_=TOLD.at.type).label("last")
        return select(func.count().label("number"), last).where(
            TOLD.customer_id == customer_id, self._is_meant(scope), TOLD.at <= scope.moment()
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        if row["last"] is None:
            return f"never {self.key}"
        return f"{self.key} {times(row['number'], 'time')}, last {ago(row['last'], scope.now)}"
