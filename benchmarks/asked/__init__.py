"""Rules that marketers ask for, each beside the SQL that somebody wrote for it by hand."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from benchmarks.child import Failed
from benchmarks.shop import NOW
from engine.app.project import Project
from engine.clock import to_micros
from engine.documents import read_document
from engine.errors import Problems
from engine.rules.model import Rule
from engine.rules.parse import RuleParser
from engine.rules.people import people

HERE = Path(__file__).parent
Answer = Callable[[Connection], list[int]]


@dataclass(frozen=True)
class Asked:
    """One question; either way of asking it gives the ids of the same customers, in any order."""

    name: str
    compiled: Answer
    by_hand: Answer

    def check(self, connection: Connection) -> int:
        """How many it holds. Raises Failed where the two do not agree."""
        ours, theirs = sorted(self.compiled(connection)), sorted(self.by_hand(connection))
        if ours != theirs:
            msg = (
                f"{self.name}: the rule holds {len(ours):,} customers, the SQL {len(theirs):,}, not the same"
            )
            raise Failed(msg)
        return len(ours)


def questions(project: Project) -> list[Asked]:
    """All of them, over the products and segments of a project. Raises Problems for a wrong rule."""
    by_hand = dict(_statements())
    return [Asked(name, _compiled(project, rule), _by_hand(by_hand[name])) for name, rule in _rules(project)]


def _rules(project: Project) -> list[tuple[str, Rule]]:
    document, files = read_document(HERE / "rules.yaml"), project.book.files
    parser = RuleParser(document, files.catalogue, list(files.segments), files.step_names)
    rules = [(name, parser.parse(rule, (name,))) for name, rule in document.data.items()]
    if parser.problems:
        raise Problems(parser.problems)
    return rules


def _statements() -> Iterator[tuple[str, str]]:
    written = (HERE / "by_hand.sql").read_text(encoding="utf-8")
    for part in written.split("-- name: ")[1:]:
        name, _, statement = part.partition("\n")
        yield name.strip(), statement.strip()


def _compiled(project: Project, rule: Rule) -> Answer:
    """Made into SQL anew each time, as a tick does."""

    def ask(connection: Connection) -> list[int]:
        scope = project.book.scope(NOW, connection.dialect.name)
        return list(connection.scalars(people(rule, scope)))

    return ask


def _by_hand(statement: str) -> Answer:
    days = {f"d{number}": int(number) for number in re.findall(r":d(\d+)", statement)} | {"now": 0}
    values = {name: to_micros(NOW - timedelta(days=number)) for name, number in days.items()}
    prepared = text(statement)
    return lambda connection: list(connection.scalars(prepared, values))
