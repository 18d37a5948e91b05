"""What is planned with: the sound campaigns, what their copy claims, the words they use, the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from babel.numbers import get_currency_precision
from sqlalchemy import Table

from engine.audience.looks import digest
from engine.campaigns.model import Campaign, Files
from engine.clock import EPOCH
from engine.rules.model import Hand, Rule, Scope
from engine.settings import Settings
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
