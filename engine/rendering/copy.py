"""The copy of a step: its subject, its HTML and its plain text, checked and tried out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from engine.campaigns.model import Campaign, Step
from engine.clock import EPOCH
from engine.documents import KeyPath
from engine.errors import Problem
from engine.planning.keys import MailKey
from engine.rendering.claims import Claim
from engine.rendering.context import PLAIN, ClaimBook, CustomerCard, Surroundings
from engine.rendering.environment import MailEnvironment
from engine.rendering.evidence import specimen
from engine.rendering.mail import MailOrder
from engine.rendering.preparing import Draft, Preparation, Ready
from engine.rendering.rendered import Failed, render
from engine.rendering.sources import Library, SubjectSource, Unreadable

SOMEBODY = CustomerCard("Ann", "Example", "ann@example.com", "GB", "en", "Europe/London")
HARDLY_KNOWN = CustomerCard(email="ann@example.com")


@dataclass(frozen=True)
class Copy:
    """A step's copy: subject, HTML and text, in this order. With problems there is none to render."""

    campaign: Campaign
    step: Step
    problems: Sequence[Problem] = ()
    parts: Sequence[Ready] = field(default=(), repr=False)

    @cached_property
    def claims(self) -> Sequence[Claim]:
        """Everything it may claim of a person, guarded or not."""
        return _once(claim for part in self.parts for claim in part.draft.claims.all.values())

    @cached_property
    def unguarded(self) -> Sequence[Claim]:
        """What it claims of everybody who gets it."""
        return _once(claim for part in self.parts for claim in part.draft.claims.unguarded)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The customers' attributes it asks for."""
        return frozenset(name for part in self.parts for name in part.draft.attributes)


def _once(claims: Iterable[Claim]) -> Sequence[Claim]:
    return list({claim.said: claim for claim in claims}.values())


class CopyDesk:
    """Prepares the copy of steps; a template that several of them use, once."""

    def __init__(self, templates: Path, surroundings: Surroundings) -> None:
        html, text = (
            MailEnvironment(surroundings.settings, html=html, plain=PLAIN) for html in (True, False)
        )
        self.library = Library(templates)
        self.surroundings = surroundings
        self._preparation = Preparation(self.library, surroundings.catalogue, html, text)
        self._bodies: dict[str, Body] = {}

    def copy(self, campaign: Campaign, step: Step) -> Copy:
        """The copy of a step, with everything that is wrong with it."""
        path: KeyPath = ("steps", campaign.steps.index(step), "email")
        subject = self._subject(campaign, step, (*path, "subject"))
        try:
            body = self._body(step.email.template)
        except Unreadable as wrong:
            missing = campaign.problem((*path, "template"), wrong.message, wrong.hint)
            return Copy(campaign, step, [*subject.problems, missing])
        problems = [*subject.problems, *body.problems]
        if problems:
            return Copy(campaign, step, problems)
        copy = Copy(campaign, step, (), (self._preparation.as_written(subject), *body.parts))
        return replace(copy, problems=list(self._trials(copy)))

    def _subject(self, campaign: Campaign, step: Step, path: KeyPath) -> Draft:
        name = f"subject of {campaign.id}/{step.id}"
        return self._preparation.draft(SubjectSource(name, step.email.subject, campaign, path))

    def _body(self, name: str) -> "Body":
        if name not in self._bodies:
            self._bodies[name] = self._prepared(name)
        return self._bodies[name]

    def _prepared(self, name: str) -> "Body":
        """HTML and text of a template; the text from its `.txt` where somebody wrote one."""
        if not name.endswith(".html"):
            msg = f"the template {name!r} is not an .html file"
            raise Unreadable(msg)
        written = name.removesuffix(".html") + ".txt"
        drafts = [self._preparation.draft(self.library.read(name), html=True)]
        if self.library.has(written):
            drafts.append(self._preparation.draft(self.library.read(written)))
        problems = [problem for draft in drafts for problem in draft.problems]
        if problems:
            return Body(problems)
        html, derived = self._preparation.as_html_and_text(drafts[0])
        text = self._preparation.as_written(drafts[1]) if len(drafts) > 1 else derived
        return Body((), (html, text))

    # ── trying out ──────────────────────────────────────────────────────────────────────────────

    def _trials(self, copy: Copy) -> Iterator[Problem]:
        """What goes wrong when the copy is rendered, for somebody well known and for one hardly known."""
        yield from self._trial(copy, SOMEBODY, copy.claims)
        yield from self._trial(copy, HARDLY_KNOWN, copy.unguarded)

    def _trial(self, copy: Copy, customer: CustomerCard, claims: Sequence[Claim]) -> Iterator[Problem]:
        order = MailOrder(MailKey(0, copy.campaign.id, copy.step.id, 1), EPOCH)
        proofs = {claim.said: specimen(claim, self.surroundings.catalogue, EPOCH) for claim in claims}
        for part in copy.parts:
            context = self.surroundings.context(copy.campaign, order, customer, ClaimBook(proofs))
            try:
                empty = not render(part.template, context).strip()
            except Failed as failed:
                if not (failed.unproven and customer is HARDLY_KNOWN):
                    yield _located(part, failed)
            else:
                if empty:
                    yield part.draft.source.problem(1, "comes out empty")


@dataclass(frozen=True)
class Body:
    """HTML and text of a template, or what is wrong with it."""

    problems: Sequence[Problem] = ()
    parts: Sequence[Ready] = field(default=(), repr=False)


def _located(part: Ready, failed: Failed) -> Problem:
    sources = {file.source.name: file.source for file in part.draft.files}
    source = sources.get(failed.name, part.draft.source)
    return source.problem(failed.line, f"cannot be rendered: {failed.message}")
