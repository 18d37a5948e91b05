"""The copy of a step: its subject, its HTML and its plain text, checked and tried out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from css_inline import InlineError

from engine.campaigns.model import Campaign, Step
from engine.clock import EPOCH
from engine.documents import KeyPath
from engine.errors import Problem
from engine.planning.keys import MailKey
from engine.rendering.claims import Claim
from engine.rendering.context import PLAIN, Surroundings
from engine.rendering.environment import MailEnvironment
from engine.rendering.mail import MailOrder
from engine.rendering.preparing import Draft, Preparation, Ready
from engine.rendering.sources import Library, SubjectSource, Unreadable
from engine.rendering.tryout import try_out


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


@dataclass(frozen=True)
class Body:
    """HTML and text of a template, or what is wrong with it."""

    problems: Sequence[Problem] = ()
    parts: Sequence[Ready] = field(default=(), repr=False)


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
        subject, body = self._subject(campaign, step), self._body(campaign, step)
        if problems := [*subject.problems, *body.problems]:
            return Copy(campaign, step, problems)
        parts = (self._preparation.as_written(subject), *body.parts)
        order = MailOrder(MailKey(0, campaign.id, step.id, 1), EPOCH)
        return Copy(campaign, step, list(try_out(parts, campaign, order, self.surroundings)), parts)

    def mistakes(self, campaign: Campaign, step: Step) -> Sequence[Problem]:
        """What is wrong with the copy as written. It is not tried out: that takes a sound campaign."""
        return [*self._subject(campaign, step).problems, *self._body(campaign, step).problems]

    def _subject(self, campaign: Campaign, step: Step) -> Draft:
        name, path = f"subject of {campaign.id}/{step.id}", (*_place(step), "subject")
        return self._preparation.draft(SubjectSource(name, step.email.subject, campaign, path))

    def _body(self, campaign: Campaign, step: Step) -> Body:
        """The body of a step's mail; a sketch of a campaign may name none."""
        name = step.email.template
        if not name:
            return Body()
        try:
            if name not in self._bodies:
                self._bodies[name] = self._prepared(name)
        except Unreadable as wrong:
            return Body([campaign.problem((*_place(step), "template"), wrong.message, wrong.hint)])
        return self._bodies[name]

    def _prepared(self, name: str) -> Body:
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
        try:
            html, derived = self._preparation.as_html_and_text(drafts[0])
        except InlineError as error:
            return Body([drafts[0].source.problem(1, f"its styles cannot be inlined: {error}")])
        text = self._preparation.as_written(drafts[1]) if len(drafts) > 1 else derived
        return Body((), (html, text))


def _place(step: Step) -> KeyPath:
    return ("steps", step.number, "email")
