"""The copy of a step: its subject, its HTML and its plain text, checked and tried out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath

from jinja2 import Template

from engine.campaigns.model import Campaign, Step
from engine.clock import EPOCH
from engine.documents import KeyPath
from engine.errors import Problem
from engine.planning.keys import MailKey
from engine.rendering.claims import Claim
from engine.rendering.context import ClaimBook, CustomerCard, Surroundings
from engine.rendering.environment import MailEnvironment
from engine.rendering.evidence import specimen
from engine.rendering.mail import MailOrder
from engine.rendering.preparing import Ready, as_text, as_written, prepare, styled
from engine.rendering.rendered import Failed, render
from engine.rendering.sources import Library, SubjectSource, Unreadable

SOMEBODY = CustomerCard("Ann", "Example", "ann@example.com", "GB", "en", "Europe/London")
HARDLY_KNOWN = CustomerCard(email="ann@example.com")


@dataclass(frozen=True)
class Copy:
    """A step's copy. Where it has problems, it cannot be rendered."""

    campaign: Campaign
    step: Step
    problems: Sequence[Problem] = ()
    parts: Sequence[Ready] = field(default=(), repr=False)  # subject, HTML, text

    @cached_property
    def claims(self) -> Sequence[Claim]:
        """Everything it may claim of a person, guarded or not."""
        return _once(claim for part in self.parts for claim in part.claims.all.values())

    @cached_property
    def unguarded(self) -> Sequence[Claim]:
        """What it claims of everybody who gets it."""
        return _once(claim for part in self.parts for claim in part.claims.unguarded)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The customers' attributes it asks for."""
        return frozenset(chain.from_iterable(part.attributes for part in self.parts))

    @property
    def templates(self) -> Sequence[Template]:
        return [part.template for part in self.parts if part.template]


def _once(claims: Iterable[Claim]) -> Sequence[Claim]:
    return list({claim.said: claim for claim in claims}.values())


class CopyDesk:
    """Prepares copy, each template once."""

    def __init__(self, templates: Path, surroundings: Surroundings) -> None:
        self.library = Library(templates)
        self.surroundings = surroundings
        self.html = MailEnvironment(surroundings.settings, html=True)
        self.plain = MailEnvironment(surroundings.settings, html=False)
        self._ready: dict[tuple[str, bool], Ready] = {}

    def copy(self, campaign: Campaign, step: Step) -> Copy:
        """The copy of a step, with everything that is wrong with it."""
        path: KeyPath = ("steps", campaign.steps.index(step), "email")
        subject = self._subject(campaign, step, (*path, "subject"))
        try:
            parts = (subject, *self._bodies(step.email.template))
        except Unreadable as wrong:
            missing = campaign.problem((*path, "template"), wrong.message, wrong.hint)
            return Copy(campaign, step, [*subject.problems, missing], (subject,))
        problems = [problem for part in parts for problem in part.problems]
        copy = Copy(campaign, step, problems, parts)
        return copy if problems else Copy(campaign, step, list(self._trials(copy)), parts)

    def _subject(self, campaign: Campaign, step: Step, path: KeyPath) -> Ready:
        source = SubjectSource(f"subject of {campaign.id}/{step.id}", step.email.subject, campaign, path)
        return prepare(source, self.library, self.plain, self.surroundings.catalogue, as_written)

    def _bodies(self, name: str) -> tuple[Ready, Ready]:
        if PurePosixPath(name).suffix != ".html":
            msg = f"the template {name!r} is not an .html file"
            raise Unreadable(msg)
        written = str(PurePosixPath(name).with_suffix(".txt"))
        return self._body(name, html=True), self._body(
            written if self.library.has(written) else name, html=False
        )

    def _body(self, name: str, *, html: bool) -> Ready:
        if (name, html) not in self._ready:
            source, environment = self.library.read(name), self.html if html else self.plain
            shape = styled if html else (as_text if name.endswith(".html") else as_written)
            self._ready[name, html] = prepare(
                source, self.library, environment, self.surroundings.catalogue, shape
            )
        return self._ready[name, html]

    # ── trying out ──────────────────────────────────────────────────────────────────────────────

    def _trials(self, copy: Copy) -> Iterator[Problem]:
        """What goes wrong when the copy is rendered, for somebody well known and for one hardly known."""
        yield from self._trial(copy, SOMEBODY, copy.claims)
        yield from self._trial(copy, HARDLY_KNOWN, copy.unguarded)

    def _trial(self, copy: Copy, customer: CustomerCard, claims: Sequence[Claim]) -> Iterator[Problem]:
        order = MailOrder(MailKey(0, copy.campaign.id, copy.step.id, 1), EPOCH)
        catalogue = self.surroundings.catalogue
        for part in copy.parts:
            book = ClaimBook({claim.said: specimen(claim, catalogue, EPOCH) for claim in claims})
            context = self.surroundings.context(copy.campaign, order, customer, book)
            try:
                written = render(part.template, context) if part.template else ""
            except Failed as failed:
                if not (failed.unproven and customer is HARDLY_KNOWN):
                    yield _located(part, failed)
            else:
                if not written.strip():
                    yield part.source.problem(1, "comes out empty")


def _located(part: Ready, failed: Failed) -> Problem:
    source = next((file.source for file in part.files if file.source.name == failed.name), part.source)
    return source.problem(failed.line, f"cannot be rendered: {failed.message}")
