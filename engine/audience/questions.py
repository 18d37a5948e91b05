"""What a look asks, made into SQL once: each tick asks the same again, at its own instant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Insert, Select, String, Table, exists, literal, select, union_all

from engine.audience.judged import AUDIENCE, CANDIDATES, PASSED, PAYERS
from engine.campaigns.model import FRONT_END, Campaign
from engine.rules.model import All, CustomerIds, Hand, Scope
from engine.rules.people import customer_crossings, people
from engine.store.dialect import Sets
from engine.store.tables import customers, transactions

TOGETHER = 100  # selects in one statement; SQLite takes 500


@dataclass(frozen=True)
class Questions:
    """Of some campaigns, in a scope with a hand, which `ask_at` moves. `runs` are the enrollments."""

    campaigns: Sequence[Campaign]
    scope: Scope
    runs: Table

    @property
    def hand(self) -> Hand:
        assert self.scope.hand is not None  # noqa: S101 - said above
        return self.scope.hand

    def ask_at(self, now: datetime, since: datetime) -> None:
        """From here on the statements ask about this instant, and what has passed since the last look."""
        self.hand.now, self.hand.since = now, since

    @cached_property
    def crossings(self) -> Sequence[Select[Any]]:
        """Those whom the time may have carried into or out of an audience, or to a goal; and which."""
        asked = [
            who.add_columns(literal(campaign.id, String).label("campaign_id"))
            for campaign in self.campaigns
            for who in self.crossings_of(campaign)
        ]
        bunches = (asked[n : n + TOGETHER] for n in range(0, len(asked), TOGETHER))
        return [_but_candidates(union_all(*bunch)) for bunch in bunches]

    @cached_property
    def candidates(self) -> Sequence[Insert]:
        """For each campaign: the candidates whom its audience holds, each looked up."""
        each, who = self.scope.of_each(PAYERS.c.customer_id), select(PAYERS.c.customer_id)
        return [_into_audience(c, who.where(c.audience.test(each))) for c in self.campaigns]

    @cached_property
    def passers(self) -> Sequence[Insert]:
        """For each campaign: those whom it holds, of whom only the time may have changed its answer."""
        return [_into_audience(campaign, self._passers(campaign)) for campaign in self.campaigns]

    def _passers(self, campaign: Campaign) -> CustomerIds:
        mine = select(PASSED.c.customer_id).where(PASSED.c.campaign_id == campaign.id)
        held = people(campaign.audience, self.scope.each(), customers_only=True)
        return held.where(customers.c.customer_id.in_(mine))

    @cached_property
    def payers(self) -> Insert:
        """The candidates who are known and customers at all."""
        candidate = customers.c.customer_id.in_(select(CANDIDATES.c.customer_id))
        theirs = people(All(()), self.scope.each(), customers_only=True).where(candidate)
        return PAYERS.insert().from_select(["customer_id"], theirs)

    @cached_property
    def everybody(self) -> Sequence[Insert]:
        """For each campaign: all whom its audience holds."""
        return [
            _into_audience(campaign, people(campaign.audience, self.scope, customers_only=True))
            for campaign in self.campaigns
        ]

    @cached_property
    def of_everybody(self) -> Sequence[CustomerIds]:
        """Those whom the time may have made customers, or no customers any more."""
        return customer_crossings(self.scope)

    def crossings_of(self, campaign: Campaign) -> Iterator[CustomerIds]:
        """The parts of `crossings` that belong to the campaign."""
        yield from campaign.audience.crossings(self.scope)
        if campaign.goal is not None:
            yield from campaign.goal.crossings(self.scope)
        if campaign.track == FRONT_END:
            yield select(transactions.c.customer_id).where(self.scope.passed(transactions.c.closes_at))
        if campaign.enter.again_after:
            yield self._may_begin_again(campaign)

    def _may_begin_again(self, campaign: Campaign) -> CustomerIds:
        """Those whose last entry has become old enough. A run that ended since put them into the queue."""
        runs = self.runs
        old_enough = self.scope.passed(runs.c.entered_at, -campaign.enter.again_after)
        return select(runs.c.customer_id).where(runs.c.campaign_id == campaign.id, old_enough)


def _but_candidates(who: Sets) -> Select[Any]:
    found = who.subquery()
    candidate = exists().where(CANDIDATES.c.customer_id == found.c.customer_id)
    return select(found).distinct().where(~candidate)


def _into_audience(campaign: Campaign, held: CustomerIds) -> Insert:
    named = held.add_columns(literal(campaign.id))
    return AUDIENCE.insert().from_select(["customer_id", "campaign_id"], named)
