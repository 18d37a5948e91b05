"""Reading `campaigns/`: the catalogue, the named segments, and every campaign.

All mistakes are found at once. A campaign with a mistake is left out; the others stay usable.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.campaigns.crossing import crossings, plain_crossings
from engine.campaigns.expansion import HINT, TOO_LARGE, Sizes
from engine.campaigns.folder import PRODUCTS, SEGMENTS, campaign_files, folder_problems
from engine.campaigns.form import LATER_KEYS, MARKETING_KEYS, CampaignForm, StepForm
from engine.campaigns.model import FRONT_END, Campaign, Email, Files, Step, Waiting, names_of
from engine.campaigns.quiet import never_open
from engine.campaigns.renames import clashes, own_problems
from engine.campaigns.segments import load_segments
from engine.campaigns.sketch import sketch
from engine.campaigns.triggers import read_trigger
from engine.documents import Document, KeyPath, skim_document, validate
from engine.errors import Problem, Problems
from engine.facts.catalogue import Catalogue, load_catalogue
from engine.registry import did_you_mean
from engine.rules.model import Rule, StepNames
from engine.rules.parse import RuleParser
from engine.settings.policies import FrontEnd
from engine.zones import Hours

PRODUCT_MISTAKES = ("unknown product", "no product has")
CAMPAIGN_MISTAKES = ("unknown campaign",)


def load_files(
    folder: Path,
    holdout: Decimal,
    currency: str | None = None,
    quiet: Hours | None = None,
    front_end: FrontEnd = FrontEnd(),  # noqa: B008 - frozen
) -> Files:
    """Everything below `folder` (the project's `campaigns/`).

    `holdout` is for those that name none; a window within the `quiet` hours is a mistake, and so is what
    crosses the line between `front_end` and back end.
    """
    catalogue, products_problems = _catalogue(folder / PRODUCTS, currency)
    documents, unreadable = _documents(folder)
    names = {name: _raw_steps(document) for document in documents if (name := _raw_id(document))}
    segments, segment_problems = load_segments(folder / SEGMENTS, catalogue, names)
    pile = _Pile(
        catalogue, segments, holdout, names, unread=len(unreadable), quiet=quiet, front_end=front_end
    )
    for document in documents:
        pile.read(document)
    pile.part_namesakes()
    # what names a product or a campaign cannot be judged before all of them can be read
    blind = (*(PRODUCT_MISTAKES if products_problems else ()), *(CAMPAIGN_MISTAKES if unreadable else ()))
    shared = [*products_problems, *_seen(segment_problems, blind)]
    problems = [*folder_problems(folder), *unreadable, *_seen(pile.problems, blind)]
    return Files(
        catalogue,
        segments,
        pile.sound,
        names,
        [*shared, *problems],
        shared_trouble=bool(shared),
        sketches=pile.sketches,
        products_known=not products_problems,
        ids=pile.ids,
        names=names_of([*pile.sound, *pile.sketches]),
    )


def _seen(problems: Sequence[Problem], blind: tuple[str, ...]) -> list[Problem]:
    """The problems, less those that speak of what cannot be trusted."""
    return [problem for problem in problems if not any(words in problem.message for words in blind)]


def _catalogue(path: Path, currency: str | None) -> tuple[Catalogue, list[Problem]]:
    try:
        return load_catalogue(path, currency), []
    except Problems as error:
        return Catalogue(), error.problems


def _raw_id(document: Document) -> str:
    """What a file calls itself, sound or not."""
    return str(document.data.get("campaign") or "") if isinstance(document.data, dict) else ""


def _raw_steps(document: Document) -> list[str]:
    """The ids of its steps, as far as they can be told."""
    steps = document.data.get("steps")
    listed = steps if isinstance(steps, list) else []
    return [str(step.get("id")) for step in listed if isinstance(step, dict)]


def _documents(folder: Path) -> tuple[list[Document], list[Problem]]:
    """Every campaign file as YAML, and what is wrong with those that are none."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in campaign_files(folder):
        try:
            documents.append(skim_document(path, folder.parent))
        except Problems as error:
            problems += error.problems
    return documents, problems


@dataclass
class _Pile:
    """The campaign files read so far: the sound ones, sketches of the others, and all that is wrong."""

    catalogue: Catalogue
    segments: Mapping[str, Rule]
    holdout: Decimal
    names: StepNames
    sound: list[Campaign] = field(default_factory=list)
    sketches: list[Campaign] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: int = 0  # files of which nothing is known
    quiet: Hours | None = None
    front_end: FrontEnd = field(default_factory=FrontEnd)

    @property
    def ids(self) -> frozenset[str] | None:
        """What all the campaigns are called, where that is known of every file."""
        ids = frozenset(campaign.id for campaign in (*self.sound, *self.sketches))
        return ids if ids and "" not in ids and not self.unread else None

    def read(self, document: Document) -> None:
        try:
            known = (self.catalogue, self.segments, self.holdout, self.names)
            self.sound.append(read_campaign(document, *known, crossing=self._crossing))
        except Problems as error:
            self.problems += error.problems
            if isinstance(document.data, dict):
                self.sketches.append(sketch(document))
            else:
                self.unread += 1

    def _crossing(self, campaign: Campaign) -> Iterator[Problem]:
        yield from never_open(campaign, self.quiet)
        yield from crossings(campaign, self.front_end, self.segments)

    def part_namesakes(self) -> None:
        """Campaigns that share an id or a name are told, and none of them is to be used."""
        found = list(clashes([*self.sound, *self.sketches]))
        self.problems += dict.fromkeys(problem for _, problem in found)
        files = {campaign.file for campaign, _ in found}
        self.sketches += [campaign for campaign in self.sound if campaign.file in files]
        self.sound = [campaign for campaign in self.sound if campaign.file not in files]


def read_campaign(
    document: Document,
    catalogue: Catalogue,
    segments: Mapping[str, Rule],
    holdout: Decimal,
    names: StepNames,
    crossing: Callable[[Campaign], Iterable[Problem]] = lambda _: (),
) -> Campaign:
    """The campaign of one file; `names` are those of all campaigns. Raises Problems with all its mistakes.

    `crossing` tells those of a campaign whose form is sound; of another only its plain crossings are told.
    """
    if not isinstance(document.data, dict):
        msg = "write a campaign as `campaign: its-id` and its other keys"
        raise Problems([*document.problems, document.problem((), msg)])
    data, problems = _without_later_keys(document)
    parser = RuleParser(document, catalogue, list(segments), names)
    rules = _rules(parser, data)
    trigger = read_trigger(parser, data["on"]) if data.get("on") is not None else None
    form = validate(document, CampaignForm, (), data)
    problems += [*document.problems, *parser.problems]
    problems += [*_offer_problems(document, catalogue), *_step_problems(document), *own_problems(document)]
    problems += [*_transactional_problems(document), *_expansion_problems(document, rules, segments)]
    if isinstance(form, list):
        raise Problems([*problems, *form, *plain_crossings(_outline(document, rules), segments)])
    campaign = replace(_campaign(document, form, rules, holdout), on=trigger)
    problems += crossing(campaign)
    if problems:
        raise Problems(problems)
    return campaign


def _outline(document: Document, rules: Mapping[KeyPath, Rule]) -> Campaign:
    """A campaign of whose form not all is sound: its track, and the rules that can be read."""
    sketched = sketch(document)
    steps = [replace(step, when=rules.get(("steps", step.number, "when"))) for step in sketched.steps]
    audience = rules.get(("audience",), sketched.audience)
    goal, asked = rules.get(("goal",)), rules.get(("while",))
    track = str(document.data.get("track"))
    return replace(sketched, steps=tuple(steps), track=track, audience=audience, while_=asked, goal=goal)


def _without_later_keys(document: Document) -> tuple[dict[str, Any], list[Problem]]:
    data, problems = dict(document.data), []
    for path in [(key,) for key in data if (key,) in LATER_KEYS]:
        data.pop(path[0])
        problems.append(_later(document, path, path))
    steps = data.get("steps")
    if isinstance(steps, list):
        data["steps"] = [dict(step) if isinstance(step, dict) else step for step in steps]
        for number, key in [(n, k) for n, step in enumerate(steps) if isinstance(step, dict) for k in step]:
            if ("steps", key) in LATER_KEYS:
                data["steps"][number].pop(key)
                data["steps"][number].setdefault("email", _NO_MAIL)
                problems.append(_later(document, ("steps", number, key), ("steps", key)))
    return data, problems


_NO_MAIL = {"subject": "-", "template": "-"}  # of a step that does something else, told as one mistake


def _later(document: Document, path: KeyPath, key: tuple[str, ...]) -> Problem:
    return document.problem(path, f"{key[-1]!r} is not in this version", LATER_KEYS[key])


def _rules(parser: RuleParser, data: dict[str, Any]) -> dict[KeyPath, Rule]:
    """Parse every rule of the file, by its path."""
    places: list[KeyPath] = [(key,) for key in ("audience", "while", "goal") if data.get(key) is not None]
    for number, step in enumerate(_listed(data, "steps")):
        if isinstance(step, dict) and step.get("when") is not None:
            places.append(("steps", number, "when"))
    return {path: parser.parse(_at(data, path), path) for path in places}


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _expansion_problems(
    document: Document, rules: Mapping[KeyPath, Rule], segments: Mapping[str, Rule]
) -> Iterator[Problem]:
    sizes = Sizes(segments)
    for path, rule in rules.items():
        if sizes.too_large(rule):
            yield document.problem(path, f"{path[-1]}: {TOO_LARGE}", HINT)


def _offer_problems(document: Document, catalogue: Catalogue) -> Iterator[Problem]:
    for number, sku in enumerate(_listed(document.data, "offers")):
        if isinstance(sku, str) and sku not in catalogue:
            hint = did_you_mean(sku, catalogue) or "add it to campaigns/products.yaml"
            yield document.problem(("offers", number), f"unknown product {sku!r}", hint)


def _transactional_problems(document: Document) -> Iterator[Problem]:
    """What is written and would mean nothing, or would make marketing of what needs no consent."""
    if document.data.get("transactional") is True:
        for key in MARKETING_KEYS.keys() & document.data.keys():
            if (key, document.data[key]) not in (("holdout", "0%"), ("offers", [])):
                yield document.problem((key,), f"{key}: not in a transactional campaign", MARKETING_KEYS[key])


def _step_problems(document: Document) -> Iterator[Problem]:
    steps = _listed(document.data, "steps")
    ids = [step.get("id") if isinstance(step, dict) else None for step in steps]
    for number, step_id in enumerate(ids):
        if step_id is not None and step_id in ids[:number]:
            yield document.problem(("steps", number, "id"), f"the step id {step_id!r} is taken already")


def _listed(data: Mapping[str, Any], key: str) -> list[Any]:
    """What is listed under a key; nothing where that is no list, which the form tells."""
    listed = data.get(key)
    return listed if isinstance(listed, list) else []


def _campaign(
    document: Document, form: CampaignForm, rules: Mapping[KeyPath, Rule], holdout: Decimal
) -> Campaign:
    definition = json.dumps(document.data, sort_keys=True, ensure_ascii=False)
    return Campaign(
        id=form.was or form.campaign,
        name=form.campaign,
        version=hashlib.sha256(definition.encode()).hexdigest()[:16],
        steps=tuple(_step(n, form, rules.get(("steps", n, "when"))) for n in range(len(form.steps))),
        audience=rules[("audience",)],
        track=form.track,
        description=form.description,
        transactional=form.transactional,
        topic="" if form.transactional else form.topic,
        offers=form.offers,
        enter=form.enter,
        while_=rules.get(("while",)),
        goal=rules.get(("goal",)),
        priority=form.priority,
        holdout=_holdout(form, holdout),
        cool_down=form.cool_down.after_purchase if form.cool_down else None,
        offers_again_after=form.offers_again_after,
        definition=definition,
        document=document,
    )


def _step(number: int, campaign: CampaignForm, when: Rule | None) -> Step:
    form = campaign.steps[number]
    return Step(
        id=form.was or form.id,
        name=form.id,
        after=form.after.elapsed,
        local_days=form.after.local_days,
        send=form.send.send,
        email=Email(form.email.subject, form.email.template, form.email.preheader or ""),
        when=when,
        number=number,
        hold=_waiting(form).under(_waiting(campaign)),
    )


def _waiting(form: CampaignForm | StepForm) -> Waiting:
    return Waiting(form.hold.at_most, form.hold.then) if form.hold else Waiting()


def _holdout(form: CampaignForm, usual: Decimal) -> Decimal:
    if form.transactional:
        return Decimal(0)
    if form.holdout is None:
        return Decimal(0) if form.track == FRONT_END else usual
    return form.holdout


def without(files: Files, wrong: Mapping[str, Sequence[Problem]]) -> Files:
    """The same files less the campaigns that further problems were found in, by campaign id."""
    found = [problem for problems in wrong.values() for problem in problems]
    kept = [campaign for campaign in files.campaigns if not wrong.get(campaign.id)]
    blind = () if files.products_known else PRODUCT_MISTAKES
    return replace(files, campaigns=kept, problems=[*files.problems, *_seen(found, blind)])
