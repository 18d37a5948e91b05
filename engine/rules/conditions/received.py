"""`received`: a mail of a campaign that left, and was accepted on its way to the customer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, and_, func, select

from engine.registry import did_you_mean
from engine.rules.model import Complaint, Condition, Customer, CustomerIds, Rows, Scope, StepNames
from engine.rules.words import TimeWords, ago, times


class Received(Condition, TimeWords):
    """Was sent a mail of a campaign, or of one of its steps. It counts from when the way out took it.

    Who is held out received nothing, and a mail that is planned, refused, or that nobody can tell of is
    not received. Whether it was opened is another question.
    """

    key: ClassVar[str] = "received"
    summary: ClassVar[str] = "was sent a mail of a campaign"

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
        mail = scope.messages.c
        sent = select(mail.customer_id).where(self._is_meant(scope), self.during(mail.settled_at, scope))
        return scope.among(sent)

    def _is_meant(self, scope: Scope) -> ColumnElement[bool]:
        mail = scope.messages.c
        meant = and_(mail.campaign_id == scope.first_id(self.campaign), mail.status == "accepted")
        return (
            meant
            if self.step is None
            else and_(meant, mail.step_id == scope.first_id(self.campaign, self.step))
        )

    def reach(self, scope: Scope) -> timedelta | None:
        return self.length(scope.now)

    def crossings(self, scope: Scope) -> Sequence[CustomerIds]:
        mail = scope.messages.c
        theirs = select(mail.customer_id).where(self._is_meant(scope))
        return self.crossed(theirs, mail.settled_at, scope)

    def implies(self, other: Condition, scope: Scope) -> bool:
        return (
            isinstance(other, Received)
            and other.campaign == self.campaign
            and other.step in (None, self.step)
            and self.looser(other)
        )

    def sentence(self, scope: Scope) -> str:
        which = f"a mail of {self.campaign!r}" if self.step is None else f"{self.step!r} of {self.campaign!r}"
        return f"received {which}{self.when()}"

    def actual(self, scope: Scope, customer_id: Customer) -> Rows:
        mail = scope.messages.c
        last = func.max(mail.settled_at, type_=mail.settled_at.type).label("last")
        return select(func.count().label("mails"), last).where(
            mail.customer_id == customer_id, self._is_meant(scope), mail.settled_at <= scope.moment()
        )

    def tell(self, row: Mapping[str, Any], scope: Scope) -> str:
        if row["last"] is None:
            return "never received"
        return f"received {times(row['mails'], 'mail')}, last {ago(row['last'], scope.now)}"
