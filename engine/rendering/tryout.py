"""Copy tried out before anybody gets it, on somebody well known and on one hardly known."""

from collections.abc import Iterable, Iterator

from engine.campaigns.model import Campaign
from engine.errors import Problem
from engine.rendering.body import TEXT
from engine.rendering.claims import Claim
from engine.rendering.context import ClaimBook, CustomerCard, Surroundings
from engine.rendering.edition import PREHEADER, Edition
from engine.rendering.evidence import specimen
from engine.rendering.mail import MailOrder
from engine.rendering.rendered import Failed

SOMEBODY = CustomerCard("Ann", "Example", "ann@example.com", "GB", "en", "Europe/London")
HARDLY_KNOWN = CustomerCard(email="ann@example.com")
_EMPTY = {TEXT: "give its pictures an alt text, or write a .txt beside it"}


def try_out(
    edition: Edition, campaign: Campaign, order: MailOrder, surroundings: Surroundings
) -> Iterator[Problem]:
    """What goes wrong when a mail is written: with every claim proven, and with few."""
    for customer, context in specimens(edition, campaign, order, surroundings):
        try:
            for kind, draft, said in edition.parts(context):
                if not said.strip() and kind != PREHEADER:
                    yield draft.source.problem(1, f"the {kind} comes out empty", _EMPTY.get(kind))
        except Failed as failed:
            if not (failed.unproven and customer is HARDLY_KNOWN):  # a mail that waits is no mistake
                yield _located(edition, failed)


def specimens(
    edition: Edition, campaign: Campaign, order: MailOrder, surroundings: Surroundings
) -> Iterator[tuple[CustomerCard, dict[str, object]]]:
    """Somebody of whom every claim is true, and somebody of whom only those are that must be."""
    claims = [claim for draft in edition.drafts for claim in draft.claims.all.values()]
    unguarded = [claim for draft in edition.drafts for claim in draft.claims.unguarded]
    for customer, proven in ((SOMEBODY, claims), (HARDLY_KNOWN, unguarded)):
        book = specimen_book(proven, order, surroundings)
        yield customer, surroundings.context(campaign, order, customer, book)


def specimen_book(claims: Iterable[Claim], order: MailOrder, surroundings: Surroundings) -> ClaimBook:
    """The claims, each proven by made-up facts."""
    at = order.planned_at.astimezone(surroundings.zone)
    return ClaimBook({claim.said: specimen(claim, surroundings.catalogue, at) for claim in claims})


def _located(edition: Edition, failed: Failed) -> Problem:
    """At the line where it happened; in the subject where nobody can say."""
    files = [file.source for draft in edition.drafts for file in draft.files]
    source = {source.name: source for source in files}.get(failed.name, edition.drafts[0].source)
    return source.problem(failed.line, f"cannot be rendered: {failed.message}")
