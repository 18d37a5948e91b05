"""segment: who a rule holds, before any policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from engine.app.project import Project
from engine.campaigns.expansion import HINT, TOO_LARGE, Sizes
from engine.documents import skim_document
from engine.errors import Problems, UnknownName, UsageError
from engine.registry import did_you_mean
from engine.rules.model import Rule
from engine.rules.parse import RuleParser
from engine.rules.people import people
from engine.store.tables import customers

PAGE = 5_000


@dataclass(frozen=True)
class Chosen:
    """A rule by whatever name it was chosen."""

    name: str
    rule: Rule
    customers_only: bool = False


@dataclass(frozen=True)
class Held:
    """Those a rule holds at an instant, open for reading."""

    chosen: Chosen
    count: int
    sentence: str
    _connection: Connection
    _people: Any

    def ids(self) -> Iterator[tuple[int, str, str]]:
        """(customer id, shop id, e-mail) of each, in the order they became known."""
        who = self._people.subquery()
        rows = (
            select(customers.c.customer_id, customers.c.shop_id, customers.c.email)
            .join(who, who.c.customer_id == customers.c.customer_id)
            .order_by(customers.c.customer_id)
        )
        found = self._connection.execute(rows, execution_options={"stream_results": True, "yield_per": PAGE})
        for page in found.partitions(PAGE):
            yield from ((row[0], row[1] or "", row[2] or "") for row in page)


def choose(project: Project, *, name: str | None, campaign: str | None, rule: Path | None) -> Chosen:
    """The rule of a segment, of a campaign's audience, or in a file of its own; exactly one of them."""
    if sum(choice is not None for choice in (name, campaign, rule)) != 1:
        msg = "say which: a segment's NAME, --campaign ID, or --rule FILE"
        raise UsageError(msg)
    if rule is not None:
        return _from_file(project, rule)
    if campaign is not None:
        found = project.files.campaign(project.known_campaign(campaign))
        assert found is not None  # noqa: S101 - known_campaign answers for it
        return Chosen(campaign, found.audience, customers_only=True)
    return _named(project, str(name))


@contextmanager
def held(project: Project, chosen: Chosen, now: datetime) -> Iterator[Held]:
    """Everybody the rule holds at that instant: campaigns hold customers only, segments prospects too."""
    with project.store.reading() as connection:
        scope = project.book.scope(now, connection.dialect.name)
        who = people(chosen.rule, scope, customers_only=chosen.customers_only)
        count = connection.scalar(select(func.count()).select_from(who.subquery())) or 0
        yield Held(chosen, count, chosen.rule.sentence(scope), connection, who)


def _named(project: Project, name: str) -> Chosen:
    segments = project.book.files.segments
    if name not in segments:
        msg = f"there is no segment {name!r}"
        raise UnknownName(
            msg, hint=did_you_mean(name, segments) or "segments stand in campaigns/segments.yaml"
        )
    return Chosen(name, segments[name])


def _from_file(project: Project, path: Path) -> Chosen:
    document = skim_document(path)
    files = project.book.files
    parser = RuleParser(document, files.catalogue, list(files.segments), files.step_names)
    rule = parser.parse(document.data, ())
    large = Sizes(files.segments).too_large(rule)
    told = [document.problem((), f"the rule: {TOO_LARGE}", HINT)] if large else []
    if problems := [*document.problems, *parser.problems, *told]:
        raise Problems(problems)
    return Chosen(document.file, rule)
