"""Advice on the sound copy of a step, beyond what is a mistake."""

from collections.abc import Iterator

from engine.clock import EPOCH
from engine.errors import Problem
from engine.planning.keys import MailKey
from engine.rendering.body import HTML
from engine.rendering.context import Surroundings
from engine.rendering.copy import Copy
from engine.rendering.edition import PREHEADER, SUBJECT, Edition
from engine.rendering.lint import lint_duties, lint_page, lint_size, shows_preheader
from engine.rendering.locales import USUAL, nearest_locale
from engine.rendering.mail import MailOrder
from engine.rendering.rendered import Failed
from engine.rendering.tryout import specimens
from engine.settings.load import CONFIG_FILE
from engine.settings.model import Settings


def advice(copy: Copy, surroundings: Surroundings) -> Iterator[Problem]:
    """Warnings on copy without mistakes; nothing on copy that has some."""
    if copy.problems:
        return
    for edition in copy.editions.values():
        yield from _of_edition(copy, edition, surroundings)
    yield from _of_languages(copy)
    if not surroundings.settings.shop.postal_address.strip():
        hint = "write it there; the law asks for it at the foot of every mail"
        yield Problem(CONFIG_FILE, 0, 0, "shop.postal_address is empty", hint)


def _of_edition(copy: Copy, edition: Edition, surroundings: Surroundings) -> Iterator[Problem]:
    page, *others = edition.body.drafts
    settings: Settings = surroundings.settings
    tagged, owed = bool(settings.utm.source), copy.campaign.transactional
    yield from lint_page(page, surroundings.shopfront, tagged=tagged, owed=owed)
    for text in others:
        if text is not page:
            yield from lint_duties(text, owed=owed)
    if shows_preheader(page) and not edition.preheader:
        hint = "write one line that goes on where the subject ends"
        path = ("steps", copy.step.number, "email")
        yield copy.campaign.problem(path, "there is no preheader, so inboxes show whatever comes first", hint)
    html = _specimen(copy, edition, surroundings)
    yield from lint_size(page, html)


def _specimen(copy: Copy, edition: Edition, surroundings: Surroundings) -> str:
    """The HTML for somebody of whom every claim is true."""
    order = MailOrder(MailKey(0, copy.campaign.id, copy.step.id, 1), EPOCH)
    _, context = next(iter(specimens(edition, copy.campaign, order, surroundings)))
    try:
        return next(said for kind, _, said in edition.parts(context) if kind == HTML)
    except Failed:
        return ""  # told as a mistake already


def _of_languages(copy: Copy) -> Iterator[Problem]:
    """Copy that is translated in part, and what only one language claims of its reader."""
    others = [language for language in copy.editions if language != USUAL]
    if not others:
        return
    email, path = copy.step.email, ("steps", copy.step.number, "email")
    for kind, words in ((SUBJECT, email.subject), (PREHEADER, email.preheader)):
        if isinstance(words, str) and words:
            message = f"the {kind} is the same in every language, and other copy is in {', '.join(others)}"
            yield copy.campaign.problem((*path, kind), message, f"write {kind}: {{{others[0]}: …}}")
    pages = {language: edition.body.drafts[0].source.name for language, edition in copy.editions.items()}
    for language in others:
        near = nearest_locale(language, [other for other in pages if other != language])
        if pages[language] == pages[near or USUAL]:
            message = f"the template is the same for {language!r}, and other copy of the step is not"
            stem, _, kind = pages[USUAL].rpartition(".")
            yield copy.campaign.problem((*path, "template"), message, f"write {stem}.{language}.{kind}")
    yield from _of_claims(copy)


def _of_claims(copy: Copy) -> Iterator[Problem]:
    said = {
        language: {claim.said for draft in edition.drafts for claim in draft.claims.unguarded}
        for language, edition in copy.editions.items()
    }
    for claim in sorted(set().union(*said.values())):
        lacking = [language or "the usual" for language in said if claim not in said[language]]
        if lacking:
            message = (
                f"{claim} is asked of every customer, but the copy in {', '.join(lacking)} does not say it"
            )
            hint = "say the same in every language, or guard it with {% if %}"
            yield copy.campaign.problem(("steps", copy.step.number, "email"), message, hint)
