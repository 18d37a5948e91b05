"""report: what the funnel and the sources of traffic are worth."""

from datetime import datetime

from engine.app.cataloguing import products_file
from engine.app.project import Project
from engine.errors import UsageError
from engine.facts.catalogue import load_catalogue
from engine.reports.cohorts import By as SourcesBy
from engine.reports.funnel import By, FunnelReport, funnel_report
from engine.reports.periods import Asked
from engine.reports.sources import SourcesReport, sources_report


def funnel(
    project: Project, since: datetime | None, until: datetime | None, now: datetime, by: By | None = None
) -> FunnelReport:
    """The funnel of those first seen in that time, as known at `now`."""
    with project.store.reading() as connection:
        return funnel_report(connection, project.settings, _asked(since, until, now), by)


def sources(
    project: Project, since: datetime | None, until: datetime | None, now: datetime, by: SourcesBy = "source"
) -> SourcesReport:
    """What advertising cost and brought in that time, as known at `now`."""
    asked = _asked(since, until, now)
    catalogue = load_catalogue(products_file(project), project.settings.shop.currency)
    with project.store.reading() as connection:
        return sources_report(connection, project.settings, catalogue, asked, by)


def _asked(since: datetime | None, until: datetime | None, now: datetime) -> Asked:
    end = min(until, now) if until else now
    if since is not None and since >= end:
        msg = "--since is not before --until, or not before the instant that is asked about"
        raise UsageError(msg)
    return Asked(since, end, now)
