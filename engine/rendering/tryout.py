"""Copy tried out before anybody gets it, on somebody well known and on one hardly known."""

from collections.abc import Iterable, Iterator, Sequence

from engine.campaigns.model import Campaign
from engine.errors import Problem
from engine.rendering.claims import Claim
from engine.rendering.context import ClaimBook, CustomerCard, Surroundings
from engine.rendering.evidence import specimen
from engine.rendering.mail import MailOrder
from engine.rendering.preparing import Ready
from engine.rendering.rendered import Failed, render

SOMEBODY = CustomerCard("Ann", "Example", "ann@example.com", "GB", "en", "Europe/London")
HARDLY_KNOWN = CustomerCard(email="ann@example.com")
KINDS = ("subject", "HTML", "plain text")


def try_out(
    parts: Sequence[Ready], campaign: Campaign, order: MailOrder, surroundings: Surroundings
) -> Iterator[Problem]:
    """What goes wrong when subject, HTML and text are rendered: with every claim proven, and with few."""
    claims = [claim for part in parts for claim in part.draft.claims.all.values()]
    unguarded = [claim for part in parts for claim in part.draft.claims.unguarded]
    for customer, proven in ((SOMEBODY, claims), (HARDLY_KNOWN, unguarded)):
        book = _book(proven, order, surroundings)
        context = surroundings.context(campaign, order, customer, book)
        for kind, part in zip(KINDS, parts, strict=True):
            yield from _tried(kind, part, context, customer)


def _book(claims: Iterable[Claim], order: MailOrder, surroundings: Surroundings) -> ClaimBook:
    at = order.planned_at.astimezone(surroundings.zone)
    return ClaimBook({claim.said: specimen(claim, surroundings.catalogue, at) for claim in claims})


def _tried(kind: str, part: Ready, context: dict[str, object], customer: CustomerCard) -> Iterator[Problem]:
    try:
        written = render(part.template, context)
    except Failed as failed:
        if not (failed.unproven and customer is HARDLY_KNOWN):  # a mail that waits is no mistake
            yield _located(part, failed)
    else:
        if not written.strip():
            hint = "give its pictures an alt text, or write a .txt beside it" if kind == KINDS[2] else None
            yield part.draft.source.problem(1, f"the {kind} comes out empty", hint)


def _located(part: Ready, failed: Failed) -> Problem:
    sources = {file.source.name: file.source for file in part.draft.files}
    source = sources.get(failed.name, part.draft.source)
    return source.problem(failed.line, f"cannot be rendered: {failed.message}")
