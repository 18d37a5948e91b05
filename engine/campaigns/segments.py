"""Named segments: `campaigns/segments.yaml`, with cycles refused."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.campaigns.form import ID
from engine.clock import EPOCH
from engine.documents import Document, skim_document
from engine.errors import Problem, Problems
from engine.facts.catalogue import Catalogue
from engine.rules.conditions.segment import Segment
from engine.rules.model import Rule, Scope, StepNames
from engine.rules.parse import RuleParser


def load_segments(
    path: Path, catalogue: Catalogue, campaigns: StepNames
) -> tuple[dict[str, Rule], list[Problem]]:
    """The segments by name, and everything wrong with the file; an absent file has none."""
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
    return segments, [*parser.problems, *_cycles(document, segments)]


def _unknown(document: Document, key: str) -> Problem:
    return document.problem((key,), f"unknown key {key!r}", "list segments under `segments:`")


def _unnamed(document: Document, name: object) -> Problem:
    hint = "write small letters, digits and hyphens, such as best-customers"
    return document.problem(("segments", str(name)), f"{str(name)!r} is not a name for a segment", hint)


def _cycles(document: Document, segments: Mapping[str, Rule]) -> Iterator[Problem]:
    reported: set[str] = set()
    for name in segments:
        circle = _circle(name, segments, [])
        if circle and not reported & set(circle):
            reported |= set(circle)
            told = " → ".join([*circle, circle[0]])
            yield document.problem(
                ("segments", circle[0]), f"segments refer to each other in a circle: {told}"
            )


def _circle(name: str, segments: Mapping[str, Rule], path: list[str]) -> list[str]:
    if name in path:
        return path[path.index(name) :]
    for mentioned in _mentions(segments[name]):
        if mentioned in segments and (found := _circle(mentioned, segments, [*path, name])):
            return found
    return []


def _mentions(rule: Rule) -> Iterator[str]:
    """The segments a rule names, itself not followed."""
    if isinstance(rule, Segment):
        yield rule.name
        return
    for part in rule.parts(Scope(EPOCH)):
        yield from _mentions(part)
