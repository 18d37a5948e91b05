"""A rule from YAML: every mistake placed, none hiding another."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from engine.documents import Document, KeyPath, problems_of
from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rules.conditions import CONDITIONS, IN_TEMPLATES, LATER
from engine.rules.model import All, AnyOf, Condition, Not, Rule, StepNames

MOST_CONDITIONS = 300  # in one file; a database takes an expression only so deep
GROUPS = ("all", "any", "not")


@dataclass
class RuleParser:
    """Parses the rules of one document and collects what is wrong with them."""

    document: Document
    catalogue: Catalogue
    segments: Sequence[str] = ()
    campaigns: StepNames = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _conditions: int = 0

    def parse(self, data: Any, path: KeyPath) -> Rule:
        """The rule at `path`. Where it is wrong, a problem is noted and a stand-in returned."""
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            hint = "use one condition for many: kind, category, tag, in"
            wrong = self.document.problem((), f"more than {MOST_CONDITIONS} rules in one file", hint)
            if wrong not in self.problems:
                self.problems.append(wrong)
            return All(())
        if not isinstance(data, dict) or not data:
            return self._wrong(path, "write a rule as `condition: {…}`", "such as bought: {product: guide}")
        if len(data) > 1:
            found = ", ".join(data)
            return self._wrong(path, f"one rule, but several keys: {found}", "join them with all: or any:")
        key, words = next(iter(data.items()))
        return self._dispatch(key, words, (*path, key))

    def _dispatch(self, key: str, words: Any, path: KeyPath) -> Rule:
        if key == "not":
            return Not(self.parse(words, path))
        if key in GROUPS:
            return self._group(key, words, path)
        if key in CONDITIONS:
            return self._condition(CONDITIONS[key], words, path)
        if key in LATER:
            return self._wrong(path, f"the condition {key!r} is not in this version", LATER[key])
        hint = IN_TEMPLATES.get(key) or did_you_mean(key, [*CONDITIONS, *GROUPS, *LATER])
        return self._wrong(path, f"unknown condition {key!r}", hint)

    def _group(self, key: str, rules: Any, path: KeyPath) -> Rule:
        if not isinstance(rules, list) or not rules:
            return self._wrong(path, f"write {key}: as a list of rules, each with a dash")
        parts = tuple(self.parse(rule, (*path, number)) for number, rule in enumerate(rules))
        return All(parts) if key == "all" else AnyOf(parts)

    def _condition(self, kind: type[Condition], words: Any, path: KeyPath) -> Rule:
        try:
            condition = kind.model_validate({} if words is None else words)
        except ValidationError as error:
            self.problems += problems_of(self.document, kind, error, path)
            self._complain_of_the_rest(kind, words, error, path)
            return All(())
        self._complain(condition, path)
        return condition

    def _complain(self, condition: Condition, path: KeyPath) -> None:
        complaints = condition.complaints(self.catalogue, self.segments)
        for word, message, hint in (*complaints, *condition.campaign_complaints(self.campaigns)):
            self.problems.append(self.document.problem((*path, word), message, hint))

    def _complain_of_the_rest(
        self, kind: type[Condition], words: Any, error: ValidationError, path: KeyPath
    ) -> None:
        """A wrong word does not hide what is wrong with the others."""
        wrong = {finding["loc"][0] for finding in error.errors() if finding["loc"]}
        if isinstance(words, dict) and wrong:
            with suppress(ValidationError):
                rest = {word: value for word, value in words.items() if word not in wrong}
                self._complain(kind.model_validate(rest), path)

    def _wrong(self, path: KeyPath, message: str, hint: str | None = None) -> Rule:
        self.problems.append(self.document.problem(path, message, hint))
        return All(())
