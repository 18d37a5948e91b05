"""What is planned with: the sound campaigns, what their copy claims, the words they use, the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256

from babel.numbers import get_currency_precision
from sqlalchemy import Table

from engine.audience.looks import digest
from engine.campaigns.model import Campaign, Files
from engine.clock import EPOCH
from engine.planning.windows import Place, Schedule
from engine.rules.model import Hand, Rule, Scope
from engine.settings.model import Settings
from engine.store.tables import messages

Claims = Mapping[
    tuple[str, str], Sequence[Rule]
]  # (campaign id, step id) → what its mail claims of everybody


@dataclass(frozen=True)
class Book:
    """Everything a plan needs to know besides the facts and the instant."""

    files: Files
    settings: Settings
    claims: Claims = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict, repr=False, compare=False)  # see `prepared`

    @property
    def campaigns(self) -> Sequence[Campaign]:
        return self.files.campaigns

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """For each campaign, what its audience and goal rest on besides facts and the time."""
        return {each.id: digest(each, self.scope(EPOCH, "sqlite")) for each in self.campaigns}

    @cached_property
    def schedules(self) -> Mapping[tuple[str, str], Schedule]:
        """For each step that may have to wait, by campaign and step: what its mails keep to.

        Quiet hours are no matter to transactional mail: it is waited for.
        """
        quiet = self.settings.quiet_hours
        shop = Place(self.settings.shop.timezone, self.settings.shop.country)
        told = {
            (campaign.id, step.id): Schedule(step.send, None if campaign.transactional else quiet, shop)
            for campaign in self.campaigns
            for step in campaign.steps
        }
        return {key: schedule for key, schedule in told.items() if schedule.matters}

    @cached_property
    def timings(self) -> Mapping[str, str]:
        """For each campaign, what tells whether the times at which its mails may go are others now."""
        told = {campaign.id: sha256() for campaign in self.campaigns}
        for (campaign, step), schedule in self.schedules.items():
            told[campaign].update(f"{step} {schedule.key} ".encode())
        return {campaign: digest.hexdigest()[:16] for campaign, digest in told.items()}

    def scope(self, now: datetime, dialect: str, outbox: Table = messages) -> Scope:
        """What rules are judged against. A plan names the outbox that it reads."""
        minor_units = 10 ** get_currency_precision(self.settings.shop.currency)
        return Scope(
            now,
            self.files.catalogue,
            self.files.segments,
            dialect,
            minor_units=minor_units,
            messages=outbox,
            first_ids=self.files.names.first_ids,
        )

    def moving_scope(self, dialect: str, outbox: Table) -> Scope:
        """The same for statements that are made once and asked at one instant after the other."""
        return replace(self.scope(EPOCH, dialect, outbox), hand=Hand(EPOCH, EPOCH))
