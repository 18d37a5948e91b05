"""Where mails are written: the one door of this room."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from engine.campaigns.model import Files
from engine.errors import Problem, Problems, UnknownName
from engine.rendering.advice import advice
from engine.rendering.context import Surroundings
from engine.rendering.copy import Copy, CopyDesk
from engine.rendering.customers import customer_cards
from engine.rendering.evidence import Archive, Proofs
from engine.rendering.mail import Mail, MailOrder, Unwritable
from engine.rendering.writing import Writer
from engine.rules.model import Rule, Scope
from engine.settings.model import Settings

BATCH = 1_000  # mails whose facts are looked up at once


class Studio:
    """The templates of a project, checked, and the mails written from them."""

    def __init__(self, templates: Path, files: Files, settings: Settings) -> None:
        surroundings = Surroundings(settings, files.catalogue)
        self.files = files
        self._zone = settings.zone
        self._desk = CopyDesk(templates, surroundings, None if files.shared_trouble else files.segments)
        self._writer = Writer(surroundings)
        self._copies: dict[tuple[str, str], Copy] = {}
        self._archives: dict[tuple[str, str], Archive] = {}

    @property
    def offers(self) -> dict[str, Sequence[str]]:
        """The products that campaigns offer, by campaign id."""
        return {campaign.id: campaign.offers for campaign in self.files.campaigns if campaign.offers}

    def problems(self) -> dict[str, list[Problem]]:
        """Everything wrong with the copy of each campaign, by campaign id; sound ones are left out."""
        found: dict[str, set[Problem]] = defaultdict(set)
        for campaign in self.files.campaigns:
            for step in campaign.steps:
                found[campaign.id].update(self._copy(campaign.id, step.id).problems)
        for rough in self.files.sketches:
            for step in rough.steps:
                found[rough.id].update(self._desk.mistakes(rough, step))
        return {campaign_id: sorted(wrong) for campaign_id, wrong in found.items() if wrong}

    def warnings(self) -> list[Problem]:
        """What is no mistake in the copy of sound steps, but worth a look."""
        found: dict[Problem, None] = {}
        for campaign in self.files.campaigns:
            for step in campaign.steps:
                found |= dict.fromkeys(advice(self._copy(campaign.id, step.id), self._writer.surroundings))
        return sorted(found, key=lambda p: (p.file, p.line, p.column, p.message))

    def claims(self, campaign_id: str, step_id: str) -> tuple[Rule, ...]:
        """What the copy of a step says of every customer who gets it, as rules.

        Raises Problems where that copy is wrong, UnknownName where there is no such step.
        """
        copy = self._copy(campaign_id, step_id)
        if copy.problems:
            raise Problems(list(copy.problems))
        return tuple(claim.rule for claim in copy.unguarded)

    def specimen(self, order: MailOrder) -> Mail:
        """A mail of that step to somebody made up. Raises Problems where its copy is wrong, UnknownName."""
        copy = self._copy(order.key.campaign_id, order.key.step_id)
        if copy.problems:
            raise Problems(list(copy.problems))
        return self._writer.specimen(order, copy)

    def compose(
        self, connection: Connection, orders: Sequence[MailOrder], now: datetime
    ) -> list[Mail | Unwritable]:
        """The mails, in the order asked for. Facts are those of `now`, and looked up for all at once."""
        batches = (orders[start : start + BATCH] for start in range(0, len(orders), BATCH))
        return [written for batch in batches for written in self._batch(connection, batch, now)]

    def _batch(
        self, connection: Connection, orders: Sequence[MailOrder], now: datetime
    ) -> Iterator[Mail | Unwritable]:
        groups = _by_copy(orders)
        copies = {step: self._found(*step) for step in groups}
        names = {name for copy in copies.values() if copy for name in copy.attributes}
        cards = customer_cards(connection, _customers(orders), names, now)
        scope = Scope(now, self.files.catalogue, self.files.segments, connection.dialect.name)
        proofs = {
            step: self._archive(copy, scope).proofs(connection, _customers(groups[step]))
            for step, copy in copies.items()
            if copy and not copy.problems
        }
        for order in orders:
            step, customer = (order.key.campaign_id, order.key.step_id), order.key.customer_id
            theirs: Proofs = proofs.get(step, {}).get(customer, {})
            yield self._writer.write(order, copies[step], cards.get(customer), theirs)

    def _archive(self, copy: Copy, scope: Scope) -> Archive:
        """What asks for its claims, kept from batch to batch of one instant."""
        step = (copy.campaign.id, copy.step.id)
        known = self._archives.get(step)
        if known is None or known.scope != scope:
            known = self._archives[step] = Archive(copy.claims, scope, self._zone)
        return known

    def _found(self, campaign_id: str, step_id: str) -> Copy | None:
        try:
            return self._copy(campaign_id, step_id)
        except UnknownName:
            return None

    def _copy(self, campaign_id: str, step_id: str) -> Copy:
        if (campaign_id, step_id) not in self._copies:
            self._copies[campaign_id, step_id] = self._prepared(campaign_id, step_id)
        return self._copies[campaign_id, step_id]

    def _prepared(self, campaign_id: str, step_id: str) -> Copy:
        campaign = self.files.campaign(campaign_id)
        for step in campaign.steps if campaign else ():
            if campaign and step.id == step_id:
                return self._desk.copy(campaign, step)
        msg = f"there is no step {step_id!r} in a campaign {campaign_id!r}"
        raise UnknownName(msg)


def _by_copy(orders: Sequence[MailOrder]) -> Mapping[tuple[str, str], Sequence[MailOrder]]:
    groups: dict[tuple[str, str], list[MailOrder]] = defaultdict(list)
    for order in orders:
        groups[order.key.campaign_id, order.key.step_id].append(order)
    return groups


def _customers(orders: Sequence[MailOrder]) -> Sequence[int]:
    return sorted({order.key.customer_id for order in orders})
