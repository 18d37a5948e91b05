"""The tables of cases as readable examples. They are shown as they stand in `tests/cases/`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from engine.documents import read_document
from pages.markdown import code

FOLDER = Path(__file__).parents[2] / "tests" / "cases"
_HIDDEN = re.compile(r"^( *- says:|    holds:).*\n?", re.MULTILINE)  # told in words above the example
_HEADING = re.compile(r"^  # (.*)$", re.MULTILINE)
_ASSUMED = re.compile(r"^(segments|campaigns):", re.MULTILINE)
_CASE = re.compile(r"^(?=  - says:)", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """What a case says, whether it holds, and its facts and rule as written."""

    says: str
    holds: bool
    written: str
    heading: str  # '' where it follows the one before

    def __str__(self) -> str:
        answer = "Yes" if self.holds else "No"
        heading = f"### {self.heading[:1].upper()}{self.heading[1:]}\n\n" if self.heading else ""
        return f"{heading}**{self.says}** {answer}.\n\n{code(self.written)}"


def examples(name: str) -> list[Example]:
    """The cases of one table, in their order."""
    path = FOLDER / f"{name}.yaml"
    told = [(case["says"], case["holds"]) for case in read_document(path).data["cases"]]
    return [
        Example(says, holds, *shown)
        for (says, holds), shown in zip(told, _written(path.read_text(encoding="utf-8")), strict=True)
    ]


def assumed(name: str) -> str:
    """The segments or campaigns that a table begins with, as written; '' where it needs none."""
    head = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("cases:\n")[0]
    found = _ASSUMED.search(head)
    return head[found.start() :] if found else ""


def _written(text: str) -> Iterator[tuple[str, str]]:
    """Of each case what it shows, and the heading above it."""
    heading, *blocks = _CASE.split(text.partition("cases:\n")[2])
    for block in blocks:
        above = _HEADING.search(heading)
        yield dedent(_HIDDEN.sub("", _HEADING.sub("", block))).strip("\n"), above[1] if above else ""
        heading = block
