"""The copy of a step in each of its languages, checked and tried out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from css_inline import InlineError

from engine.campaigns.model import Campaign, Step
from engine.clock import EPOCH
from engine.documents import KeyPath
from engine.errors import Problem
from engine.planning.keys import MailKey
from engine.rendering.body import Body, HtmlBody
from engine.rendering.claims import Claim
from engine.rendering.context import PLAIN, Surroundings
from engine.rendering.edition import PREHEADER, SUBJECT, Edition
from engine.rendering.environment import MailEnvironment
from engine.rendering.lint import shows_preheader
from engine.rendering.locales import USUAL, in_language, nearest_locale, variants, written_in
from engine.rendering.mail import MailOrder
from engine.rendering.mjml_body import mjml_body
from engine.rendering.preparing import Draft, Preparation, Ready
from engine.rendering.proof import front_end_claims, unproven_claims
from engine.rendering.sources import Library, LineSource, Unreadable
from engine.rendering.targets import Pairs, utm_words
from engine.rendering.tryout import try_out
from engine.rules.model import Rule, Scope

KINDS = (".html", ".mjml")


@dataclass(frozen=True)
class Copy:
    """A step's copy by language, '' for everybody else. With problems there is none to render."""

    campaign: Campaign
    step: Step
    problems: Sequence[Problem] = ()
    editions: Mapping[str, Edition] = field(default_factory=dict, repr=False)

    def edition(self, locale: str) -> Edition:
        """The copy for a customer of that locale: in it, else in its language, else the usual one."""
        near = nearest_locale(locale, self.editions) if len(self.editions) > 1 else None
        return self.editions[near or USUAL]

    @cached_property
    def claims(self) -> Sequence[Claim]:
        """Everything it may claim of a person in any language, guarded or not."""
        return _once(claim for draft in self.drafts for claim in draft.claims.all.values())

    @cached_property
    def unguarded(self) -> Sequence[Claim]:
        """What it claims of everybody who gets it. Planning does not ask for the language."""
        return _once(claim for draft in self.drafts for claim in draft.claims.unguarded)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The customers' attributes it asks for."""
        return frozenset(name for draft in self.drafts for name in draft.attributes)

    @property
    def drafts(self) -> Iterable[Draft]:
        return (draft for edition in self.editions.values() for draft in edition.drafts)


def _once(claims: Iterable[Claim]) -> Sequence[Claim]:
    return list({claim.said: claim for claim in claims}.values())


@dataclass(frozen=True)
class Made:
    """Part of a copy that was made ready, or what is wrong with it."""

    problems: Sequence[Problem] = ()
    body: Body | None = field(default=None, repr=False)


class CopyDesk:
    """Prepares the copy of steps; a template that several of them use alike, once.

    Without segments, for those cannot be read, no rule can prove anything and none is asked to.
    """

    def __init__(
        self, templates: Path, surroundings: Surroundings, segments: Mapping[str, Rule] | None
    ) -> None:
        self.library = Library(templates)
        self.surroundings = surroundings
        self._scope = None if segments is None else Scope(EPOCH, surroundings.catalogue, segments)
        self._preparations: dict[str, Preparation] = {}
        self._bodies: dict[tuple[str, str, Pairs], Made] = {}
        self._preparation(USUAL)  # a shop in a language that nobody knows is told at once

    def _preparation(self, language: str) -> Preparation:
        """What makes templates of a language ready: its dates and amounts are written in it."""
        if language not in self._preparations:
            html, text = (
                MailEnvironment(self.surroundings.settings, html=html, plain=PLAIN, language=language)
                for html in (True, False)
            )
            catalogue, same = self.surroundings.catalogue, self.surroundings.same(self._locale(language))
            self._preparations[language] = Preparation(self.library, catalogue, html, text, same)
        return self._preparations[language]

    def _locale(self, language: str) -> str:
        """What mails in that language are told to be in."""
        return language or self.surroundings.settings.shop.locale

    def copy(self, campaign: Campaign, step: Step) -> Copy:
        """The copy of a step, with everything that is wrong with it."""
        wording, drafts, bodies = self._taken_apart(campaign, step)
        problems = [*wording, *(p for draft in drafts.values() for p in draft.problems)]
        problems += [problem for made in bodies.values() for problem in made.problems]
        if problems:
            return Copy(campaign, step, _each_once(problems))
        editions = dict(self._editions(drafts, bodies))
        order = MailOrder(MailKey(0, campaign.id, step.id, 1), EPOCH)
        for edition in editions.values():
            problems += _unshown(campaign, step, edition)
            problems += try_out(edition, campaign, order, self.surroundings)
        problems += self._untrue(campaign, step, editions)
        return Copy(campaign, step, _each_once(problems), editions)

    def _untrue(self, campaign: Campaign, step: Step, editions: Mapping[str, Edition]) -> Iterator[Problem]:
        """What the copy says, in any language, of people of whom it may not be true."""
        drafts = (draft for edition in editions.values() for draft in edition.drafts)
        spots = [spot for draft in drafts for spot in draft.claims.spots]
        yield from front_end_claims(campaign, spots)
        if self._scope is not None:
            yield from unproven_claims(campaign, step, spots, self._scope)

    def mistakes(self, campaign: Campaign, step: Step) -> Sequence[Problem]:
        """What is wrong with the copy as written. It is not tried out: that takes a sound campaign."""
        wording, drafts, bodies = self._taken_apart(campaign, step)
        found = [*wording, *(p for draft in drafts.values() for p in draft.problems)]
        return _each_once([*found, *(problem for made in bodies.values() for problem in made.problems)])

    def languages(self, step: Step) -> Sequence[str]:
        """The languages of a step's copy, '' first."""
        there = set(variants(step.email.template, self.library)) if step.email.template else set()
        usual = self.surroundings.settings.shop.locale
        for words in (step.email.subject, step.email.preheader):
            written = list(written_in(words))
            there |= {name for name in written if name != nearest_locale(usual, written)}
        return [USUAL, *sorted(there)]

    # ── its parts ───────────────────────────────────────────────────────────────────────────────

    def _taken_apart(
        self, campaign: Campaign, step: Step
    ) -> tuple[Sequence[Problem], Mapping[tuple[str, str], Draft], Mapping[str, Made]]:
        """What lines lack a language; the lines by language and kind; the bodies by language."""
        problems: list[Problem] = []
        drafts: dict[tuple[str, str], Draft] = {}
        bodies: dict[str, Made] = {}
        lines = {SUBJECT: step.email.subject, PREHEADER: step.email.preheader}
        for language in self.languages(step):
            for kind, words in lines.items():
                said = in_language(words, language, self.surroundings.settings.shop.locale)
                if said is None:
                    problems.append(self._missing(campaign, step, kind, language))
                elif said or kind == SUBJECT:
                    drafts[language, kind] = self._line(campaign, step, language, kind, said)
            bodies[language] = self._body(campaign, step, language)
        return problems, drafts, bodies

    def _missing(self, campaign: Campaign, step: Step, kind: str, language: str) -> Problem:
        usual = self.surroundings.settings.shop.locale
        if language == USUAL:
            message = f"{kind} has nothing in {usual!r}, the language of the shop"
            hint = f"write {usual.split('-')[0]}: … for everybody whose language is not there"
        else:
            message, hint = f"{kind} has nothing in {language!r}, but other copy of this step has", None
        return campaign.problem((*_place(step), kind), message, hint)

    def _line(self, campaign: Campaign, step: Step, language: str, kind: str, said: str) -> Draft:
        name = f"{kind} of {campaign.id}/{step.id}" + (f" in {language}" if language else "")
        path = (*_place(step), kind)
        return self._preparation(language).draft(LineSource(name, said, campaign, path, kind))

    def _editions(
        self, drafts: Mapping[tuple[str, str], Draft], bodies: Mapping[str, Made]
    ) -> Iterator[tuple[str, Edition]]:
        for language, made in bodies.items():
            preparation = self._preparation(language)
            ready: dict[str, Ready | None] = {
                kind: preparation.as_written(drafts[language, kind]) if (language, kind) in drafts else None
                for kind in (SUBJECT, PREHEADER)
            }
            if made.body and (subject := ready[SUBJECT]):
                yield language, Edition(self._locale(language), subject, ready[PREHEADER], made.body)

    # ── bodies ──────────────────────────────────────────────────────────────────────────────────

    def _body(self, campaign: Campaign, step: Step, language: str) -> Made:
        """The body of a step's mail; a sketch of a campaign may name none."""
        if not step.email.template:
            return Made()
        there = variants(step.email.template, self.library)
        near = nearest_locale(language, there)
        name = there[near] if near else step.email.template
        pairs = utm_words(self.surroundings.settings, campaign.id, step.id)
        try:
            if (name, language, pairs) not in self._bodies:
                self._bodies[name, language, pairs] = self._prepared(name, language, pairs)
        except Unreadable as wrong:
            return Made([campaign.problem((*_place(step), "template"), wrong.message, wrong.hint)])
        return self._bodies[name, language, pairs]

    def _prepared(self, name: str, language: str, pairs: Pairs) -> Made:
        """HTML and text of a template; the text from its `.txt` where somebody wrote one."""
        kind = next((kind for kind in KINDS if name.endswith(kind)), None)
        if kind is None:
            msg = f"the template {name!r} is neither an .html nor an .mjml file"
            raise Unreadable(msg)
        preparation = self._preparation(language)
        written = name.removesuffix(kind) + ".txt"
        drafts = [preparation.draft(self.library.read(name), kind)]
        if self.library.has(written):
            drafts.append(preparation.draft(self.library.read(written)))
        problems = [problem for draft in drafts for problem in draft.problems]
        if problems:
            return Made(problems)
        by_hand = preparation.as_written(drafts[1]) if len(drafts) > 1 else None
        if kind == ".mjml":
            return Made((), mjml_body(preparation, drafts[0], by_hand, pairs))
        try:
            html, derived = preparation.as_html_and_text(drafts[0], pairs)
        except InlineError as error:
            return Made([drafts[0].source.problem(1, f"its styles cannot be inlined: {error}")])
        return Made((), HtmlBody(html, by_hand or derived))


def _unshown(campaign: Campaign, step: Step, edition: Edition) -> Iterator[Problem]:
    """A preheader that the template has no place for."""
    page = edition.body.drafts[0]
    if edition.preheader and not shows_preheader(page):
        message = f"{page.source.name!r} does not show the preheader"
        hint = "leave its own block preheader out, or put {{ preheader }} into its layout"
        yield campaign.problem((*_place(step), PREHEADER), message, hint)


def _each_once(problems: Iterable[Problem]) -> Sequence[Problem]:
    """A mistake that copy of several languages shares is told once."""
    return list(dict.fromkeys(problems))


def _place(step: Step) -> KeyPath:
    return ("steps", step.number, "email")
