"""Named segments: `campaigns/segments.yaml`, with circles refused, and what would grow beyond measure."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from engine.campaigns.expansion import HINT, TOO_LARGE, Sizes
from engine.campaigns.form import ID
from engine.clock import EPOCH
from engine.documents import Document, skim_document
from engine.errors import Problem, Problems
from engine.facts.catalogue import Catalogue
from engine.rules.conditions.segment import Segment
from engine.rules.model import All, Rule, Scope, StepNames
from engine.rules.parse import RuleParser


def load_segments(
    path: Path, catalogue: Catalogue, campaigns: StepNames
) -> tuple[dict[str, Rule], list[Problem]]:
    """The segments by name, and everything wrong with the file; an absent file has none.

    Those that are too large, or lead into a circle, stand for everybody: nobody can follow them any more.
    """
    if not path.exists():
        return {}, []
    try:
        document = skim_document(path, path.parent.parent)
    except Problems as error:
        return {}, error.problems
    data = document.data if isinstance(document.data, dict) else {}
    named = data.get("segments") or {}
    problems = [*document.problems, *(_unknown(document, key) for key in data if key != "segments")]
    if not isinstance(named, dict):
        return {}, [*problems, document.problem(("segments",), "write segments as `name: rule`")]
    parser = RuleParser(document, catalogue, list(named), campaigns, problems)
    problems += [_unnamed(document, name) for name in named if not ID.fullmatch(str(name))]
    segments = {name: parser.parse(rule, ("segments", name)) for name, rule in named.items()}
    large = _too_large(segments)
    circles = _circles(segments)
    problems = [*parser.problems, *_told_once(document, circles.values())]
    problems += [document.problem(("segments", name), f"{name}: {TOO_LARGE}", HINT) for name in large[:1]]
    return segments | dict.fromkeys([*large, *circles], All(())), problems


def _unknown(document: Document, key: str) -> Problem:
    return document.problem((key,), f"unknown key {key!r}", "list segments under `segments:`")


def _unnamed(document: Document, name: object) -> Problem:
    hint = "write small letters, digits and hyphens, such as best-customers"
    return document.problem(("segments", str(name)), f"{str(name)!r} is not a name for a segment", hint)


def _too_large(segments: Mapping[str, Rule]) -> list[str]:
    """Those that hold too much, the smallest first: what is built on it would only repeat the mistake."""
    sizes = Sizes(segments)
    return sorted((name for name, rule in segments.items() if sizes.too_large(rule)), key=sizes.named)


def _circles(segments: Mapping[str, Rule]) -> dict[str, list[str]]:
    """The circle that a segment leads into, for each that does."""
    mentions = {name: dict.fromkeys(_mentions(rule)) for name, rule in segments.items()}
    sound: set[str] = set()
    found = {name: _circle(name, mentions, [], sound) for name in segments}
    return {name: circle for name, circle in found.items() if circle}


def _told_once(document: Document, circles: Iterable[list[str]]) -> Iterator[Problem]:
    reported: set[str] = set()
    for circle in circles:
        if not reported & set(circle):
            reported |= set(circle)
            told = " → ".join([*circle, circle[0]])
            yield document.problem(
                ("segments", circle[0]), f"segments refer to each other in a circle: {told}"
            )


def _circle(name: str, mentions: Mapping[str, Iterable[str]], path: list[str], sound: set[str]) -> list[str]:
    """The circle that one leads into; those that lead into none are `sound`, and looked at once."""
    if name in path:
        return path[path.index(name) :]
    for mentioned in () if name in sound else mentions[name]:
        if mentioned in mentions and (found := _circle(mentioned, mentions, [*path, name], sound)):
            return found
    sound.add(name)
    return []


def _mentions(rule: Rule) -> Iterator[str]:
    """The segments a rule names, itself not followed."""
    if isinstance(rule, Segment):
        yield rule.name
        return
    for part in rule.parts(Scope(EPOCH)):
        yield from _mentions(part)
